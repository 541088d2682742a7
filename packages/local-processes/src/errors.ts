const mark = Symbol.for('crunch.expected-error')

/**
 * A failure outside the program, such as a wrong setting or a missing file. Its message names the place, the cause and
 * the fix, so it is shown without a stack. `code` is stable, for programs.
 */
export abstract class ExpectedError extends Error {
  abstract readonly code: string

  /** Marks expected errors. Their class is not enough, because a program may contain two copies of this package. */
  get [mark](): true {
    return true
  }
}

export function isExpectedError(thrown: unknown): thrown is ExpectedError {
  return thrown instanceof Error && mark in thrown
}

/** The text of any thrown value. */
export function errorText(thrown: unknown): string {
  return thrown instanceof Error ? thrown.message : String(thrown)
}
