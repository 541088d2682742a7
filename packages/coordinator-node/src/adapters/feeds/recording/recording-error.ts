import { errorText } from '@crunch/local-processes/errors'
import { z } from 'zod'
import { CrunchError } from '../../../domain/errors.ts'
import { issueTexts } from '../../../domain/json/issue-text.ts'

const maxTextLength = 160
/** Has room for the names of the fields that exist. */
const maxReasonLength = 320

/** The error for an unusable recording: file, cause and fix. */
export function recordingError(path: string, problem: string, fix: string, cause?: unknown): CrunchError {
  return new CrunchError('RECORDING_INVALID', `${path}: ${problem}. ${fix}`, { cause })
}

/** A problem with one row. Thrown by its parser and completed with file and line by the reader. */
export class RowProblem extends Error {
  readonly fix: string

  constructor(problem: string, fix: string, options?: { readonly cause?: unknown }) {
    super(problem, options)
    this.fix = fix
  }
}

/** @param place file and line, counted from 1: the row's last line when a quoted cell spans several */
export function rowError(place: string, text: string, problem: RowProblem): CrunchError {
  return recordingError(place, `${problem.message} in "${cut(text)}"`, problem.fix, problem.cause)
}

/** Parses a row with `parse`. Adds the place and the text of the row to a {@link RowProblem} that it throws. */
export function atRow<Value>(place: string, text: () => string, parse: () => Value): Value {
  try {
    return parse()
  } catch (error) {
    throw error instanceof RowProblem ? rowError(place, text(), error) : error
  }
}

/** The reason why a schema or another check refused values, in one line. */
export function refusalOf(error: unknown, values?: unknown): string {
  if (error instanceof z.ZodError) return cut(issueTexts(error.issues, values, 'values'), maxReasonLength)
  return cut(errorText(error))
}

export function cut(text: string, maxLength = maxTextLength): string {
  const oneLine = text.replace(/\s+/g, ' ')
  return oneLine.length <= maxLength ? oneLine : `${oneLine.slice(0, maxLength)}…`
}
