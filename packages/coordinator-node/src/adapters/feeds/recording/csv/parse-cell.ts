import { numberColumns } from '../record-builder.ts'
import { RowProblem } from '../recording-error.ts'

// Leading zeros make a code (`007`), not a number.
const numberText = /^[+-]?(?:0|[1-9]\d*)(?:\.\d*)?(?:[eE][+-]?\d+)?$|^[+-]?\.\d+(?:[eE][+-]?\d+)?$/
const wholeNumber = /^[+-]?\d+$/
/** Notations of programs for a missing value. */
const missing = /^(?:nan|null|none)?$/i
const notFinite = /^[+-]?(?:nan|inf|infinity)$/i

/**
 * The value of a CSV cell: a number; `null` if it is empty (or, in a numeric column, a notation for a missing value); else its
 * text. An integer that JavaScript cannot represent exactly stays text. Throws a {@link RowProblem} for anything that is not a
 * finite number in a numeric column.
 */
export function parseCell(text: string, column: string): number | string | null {
  const value = Number(text)
  if (isPlainNumber(text, value) || numberText.test(text)) {
    const isExact = Number.isSafeInteger(value) || !wholeNumber.test(text) || numberColumns.has(column)
    return isExact ? finite(value, column) : text
  }
  if (text === '' || (numberColumns.has(column) && missing.test(text))) return null
  if (numberColumns.has(column) || notFinite.test(text)) throw notNumber(column, text)
  return text
}

function finite(value: number, column: string): number {
  if (!Number.isFinite(value)) throw notNumber(column, String(value))
  return value === 0 ? 0 : value
}

function notNumber(column: string, text: string): RowProblem {
  return new RowProblem(
    `column "${column}" is "${text.slice(0, 40)}", which is not a number`,
    'Write a finite number with a decimal point, or remove the row: gaps are fine.',
  )
}

/** Fast path without a regular expression, twice as fast: a number that starts with 1 to 9 and ends with a digit. */
function isPlainNumber(text: string, value: number): boolean {
  const first = text.charCodeAt(0)
  const last = text.charCodeAt(text.length - 1)
  return first >= 49 && first <= 57 && last >= 48 && last <= 57 && Number.isFinite(value)
}
