import { ExpectedError } from '@crunch/local-processes/errors'
import { FAILURE_CODES } from '@crunch/model-protocol'

/**
 * Why a run ended or never began: BUILD_FAILED (the submission cannot be prepared), RUN_FAILED (the model never
 * served), STOP_UNEXPECTED (the process ended while the model served), or the code that a coordinator reported.
 */
export const RUN_FAILURE_CODES = ['BUILD_FAILED', 'RUN_FAILED', 'STOP_UNEXPECTED', ...FAILURE_CODES] as const
export type RunFailureCode = (typeof RUN_FAILURE_CODES)[number]

/** A failure of one run, worded for the author of the model. */
export class RunFailure extends ExpectedError {
  override readonly name = 'RunFailure'
  readonly code: RunFailureCode

  constructor(code: RunFailureCode, message: string, options?: ErrorOptions) {
    super(message, options)
    this.code = code
  }
}
