import { ExpectedError } from '@crunch/local-processes/errors'
import { FAILURE_CODES } from '@crunch/model-protocol'

/**
 * Why a run ended or never began: BUILD_FAILED (the submission cannot be run as it is), RUN_FAILED (it did not come
 * to serve), STOP_UNEXPECTED (it served, then its process ended), or the code a coordinator reported.
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
