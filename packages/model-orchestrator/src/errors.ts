import { ExpectedError } from '@crunch/local-processes/errors'

/** An error that prevents the start of the orchestrator, a reload of the models file, or a change to a model. */
export type OrchestratorErrorCode =
  | 'ADDRESS_UNAVAILABLE'
  | 'MODELS_FILE_INVALID'
  | 'SETTINGS_INVALID'
  /** The given folder or file is not a valid submission. */
  | 'SUBMISSION_REFUSED'
  | 'MODEL_UNKNOWN'
  | 'LOG_UNKNOWN'
  | 'REQUEST_INVALID'
  /** Too many requests at once, or a machine that is too busy; a later try can succeed. */
  | 'BUSY'
  /** Another program has been editing the models file for too long. */
  | 'MODELS_FILE_LOCKED'

/** An expected error with a code; the message names the place, the cause and the fix. */
export class OrchestratorError extends ExpectedError {
  override readonly name = 'OrchestratorError'
  readonly code: OrchestratorErrorCode

  constructor(code: OrchestratorErrorCode, message: string, options?: ErrorOptions) {
    super(message, options)
    this.code = code
  }
}
