const mark = Symbol.for('crunch.expected-error')

/**
 * A failure of the world around the program, such as a wrong setting or a missing file. Its message names the place, the cause
 * and the fix, so that a stack would only hide it. `code` is stable, for programs.
 */
export abstract class ExpectedError extends Error {
  abstract readonly code: string

  /** A program may hold two copies of this package, so its errors are told by this, not by their class. */
  get [mark](): true {
    return true
  }
}

export function isExpectedError(thrown: unknown): thrown is ExpectedError {
  return thrown instanceof Error && mark in thrown
}

/** The text of anything that was thrown. */
export function errorText(thrown: unknown): string {
  return thrown instanceof Error ? thrown.message : String(thrown)
}
