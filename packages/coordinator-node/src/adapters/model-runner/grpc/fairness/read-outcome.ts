import { CallResponse, decodeResponse, ProtocolError, readVariant } from '@crunch/model-protocol'
import { status } from '@grpc/grpc-js'
import type { AnswerLimits } from '../../../../domain/answer-size.ts'
import type { Blame } from '../../../../domain/prediction.ts'
import type { ModelAnswer } from '../../../../ports/model-runner.ts'
import {
  absentAnswer,
  busyAnswer,
  describeThrown,
  failedAnswer,
  notRunningAnswer,
  timeoutAnswer,
} from '../../model-answers.ts'
import type { TransportError } from '../transport/model-channel.ts'

/** Not an answer of a model: the runner was restarted, lost its instance and must be set up again. */
export const NOT_SET_UP = Symbol('the model is not set up')

/** Decodes a model's answer, synchronously unless it holds a table. The bytes are untrusted: never throws or rejects. */
export function readResponse(
  bytes: Uint8Array,
  durationMs: number,
  limits: AnswerLimits,
): ModelAnswer | typeof NOT_SET_UP | Promise<ModelAnswer> {
  let response: CallResponse
  try {
    response = decodeResponse(CallResponse, bytes)
  } catch (error) {
    return invalidOutput(`the answer is not a CallResponse: ${describeThrown(error)}`, durationMs)
  }
  const code = response.status?.code ?? ''
  const detail = response.status?.message || `the model's runner answered ${code}`
  switch (code) {
    case 'SUCCESS':
      return readOutput(response, durationMs, limits)
    case 'FAILED_PRECONDITION':
      return NOT_SET_UP
    case 'BAD_IMPLEMENTATION':
      return failedAnswer({ reason: 'bad_implementation', blame: 'model', detail, durationMs })
    case 'INVALID_ARGUMENT':
      // Any model can claim this. The call is at fault only if all models that answer it claim the same.
      return failedAnswer({ reason: 'invalid_call', blame: 'model', detail, durationMs })
    case 'MODEL_FAILED':
    case 'SETUP_FAILED':
    case 'UNKNOWN':
      return failedAnswer({ reason: 'model_error', blame: 'model', detail, durationMs })
    default:
      return invalidOutput(`the answer has the unknown status "${code}"`, durationMs)
  }
}

/**
 * The answer for a failed call. `absenceBlame` applies to a lost connection, which this node observes itself. The model's
 * process chooses status, status text and resets: whatever they are, the model is to blame for the missing answer.
 */
export function readTransportError(error: TransportError, timeoutMs: number, absenceBlame: Blame): ModelAnswer {
  const { code, details, durationMs } = error
  if (error.absence === 'closed here') return notRunningAnswer('coordinator', details, durationMs)
  if (error.absence === 'lost') {
    return notRunningAnswer(absenceBlame, `the connection to the model was lost: ${details}`, durationMs)
  }
  switch (code) {
    case status.RESOURCE_EXHAUSTED:
      return /larger than/i.test(details)
        ? outputTooLarge(`is too large: ${details}`, durationMs)
        : busyAnswer(durationMs)
    case status.DEADLINE_EXCEEDED:
      return timeoutAnswer(timeoutMs, durationMs)
    case status.UNAVAILABLE:
    case status.CANCELLED:
      return notRunningAnswer('model', `the model's runner ended the call: ${details}`, durationMs)
    case status.UNAUTHENTICATED:
    case status.PERMISSION_DENIED: {
      if (error.isUnproven) {
        const detail = `the answer has no valid proof that it comes from the model: ${details}`
        return absentAnswer({ reason: 'unauthenticated', blame: 'model', detail, durationMs })
      }
      const detail = `the model's runner does not accept this coordinator: ${details}`
      return absentAnswer({ reason: 'access_denied', blame: 'model', detail, durationMs })
    }
    case status.UNIMPLEMENTED: {
      const detail = `the process at the model's address is not a model runner: ${details}`
      return notRunningAnswer('model', detail, durationMs)
    }
    default:
      // A process that dies may reset its streams before the connection ends.
      if (error.isReset) return notRunningAnswer('model', `the model ended the call: ${details}`, durationMs)
      return failedAnswer({ reason: 'model_error', blame: 'model', detail: `${status[code]}: ${details}`, durationMs })
  }
}

function readOutput(
  response: CallResponse,
  durationMs: number,
  limits: AnswerLimits,
): ModelAnswer | Promise<ModelAnswer> {
  const answered = (output: unknown): ModelAnswer => ({ status: 'answered', output, durationMs })
  const invalid = (error: unknown) => invalidOutput(describeThrown(error), durationMs)
  try {
    const output = readVariant(response.methodResponse, limits)
    return output instanceof Promise ? output.then(answered, invalid) : answered(output)
  } catch (error) {
    if (error instanceof ProtocolError && error.code === 'VARIANT_TOO_LARGE') {
      return outputTooLarge(error.message, durationMs)
    }
    return invalid(error)
  }
}

function invalidOutput(detail: string, durationMs: number): ModelAnswer {
  return failedAnswer({ reason: 'invalid_output', blame: 'model', detail, durationMs })
}

function outputTooLarge(details: string, durationMs: number): ModelAnswer {
  return failedAnswer({ reason: 'output_too_large', blame: 'model', detail: `the answer ${details}`, durationMs })
}
