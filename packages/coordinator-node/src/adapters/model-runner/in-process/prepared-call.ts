import { encodeVariant, parseLenientJson, writeStrictJson } from '@crunch/model-protocol'
import type { ModelArgument, ModelCall } from '../../../ports/model-runner.ts'

/** A call whose arguments are serialized once for all models. */
export interface PreparedCall {
  readonly method: string
  /** Creates new values at each call, so that a model which modifies its input changes only its own copy. */
  readonly readArguments: () => unknown[]
}

/** Throws for arguments that cannot be sent: that is the caller's mistake, not a model's. */
export function prepareCall(call: ModelCall): PreparedCall {
  const readers = call.arguments.map(prepareArgument)
  return { method: call.method, readArguments: () => readers.map((read) => read()) }
}

function prepareArgument(argument: ModelArgument): () => unknown {
  if (argument.type === 'JSON') {
    const text = writeStrictJson(argument.value)
    return () => parseLenientJson(text)
  }
  // Encoding checks the value; encoded as an INT, -0 loses its sign.
  if (argument.type === 'INT') encodeVariant(argument)
  const value = argument.type === 'INT' ? argument.value + 0 : argument.value
  return () => value
}
