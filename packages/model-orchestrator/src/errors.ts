import { ExpectedError } from '@crunch/local-processes/errors'

/** An error that prevents the start of the orchestrator, a reload of the models file, or a change to a model. */
export type OrchestratorErrorCode =
  | 'ADDRESS_UNAVAILABLE'
  | 'MODELS_FILE_INVALID'
  | 'SETTINGS_INVALID'
  /** What was offered as a submission cannot be one. */
  | 'SUBMISSION_REFUSED'
  | 'MODEL_UNKNOWN'
  | 'LOG_UNKNOWN'
  | 'REQUEST_INVALID'
  /** A limit of what is done at once is reached; it passes. */
  | 'BUSY'
  /** Another program has been editing the models file for too long. */
  | 'MODELS_FILE_LOCKED'

/** A broken world around the orchestrator; the message names the place, the cause and the fix. */
export class OrchestratorError extends ExpectedError {
  override readonly name = 'OrchestratorError'
  readonly code: OrchestratorErrorCode

  constructor(code: OrchestratorErrorCode, message: string, options?: ErrorOptions) {
    super(message, options)
    this.code = code
  }
}
