import { encodeVariant, parseLenientJson, writeStrictJson } from '@crunch/model-protocol'
import type { ModelArgument, ModelCall } from '../../../ports/model-runner.ts'

/** A call whose JSON is written once for all models. */
export interface PreparedCall {
  readonly method: string
  /** Fresh values at each invocation, so that a model which changes its input changes only its own copy. */
  readonly readArguments: () => unknown[]
}

/** Throws for arguments that the wire cannot carry: those are a mistake of the caller, not of a model. */
export function prepareCall(call: ModelCall): PreparedCall {
  const readers = call.arguments.map(prepareArgument)
  return { method: call.method, readArguments: () => readers.map((read) => read()) }
}

function prepareArgument(argument: ModelArgument): () => unknown {
  if (argument.type === 'JSON') {
    const text = writeStrictJson(argument.value)
    return () => parseLenientJson(text)
  }
  // Encoding is the check; a zero with a sign has none once it was an INT.
  if (argument.type === 'INT') encodeVariant(argument)
  const value = argument.type === 'INT' ? argument.value + 0 : argument.value
  return () => value
}
