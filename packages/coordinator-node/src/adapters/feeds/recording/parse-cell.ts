import { RowProblem } from './recording-error.ts'

// Leading zeros make a code (`007`), not a number.
const numberText = /^[+-]?(?:0|[1-9]\d*)(?:\.\d*)?(?:[eE][+-]?\d+)?$|^[+-]?\.\d+(?:[eE][+-]?\d+)?$/
const wholeNumber = /^[+-]?\d+$/
const notFinite = /^[+-]?(?:nan|inf|infinity)$/i

/** Columns that only ever hold numbers, whatever the schema says. */
export const numberColumns: ReadonlySet<string> = new Set(['open', 'high', 'low', 'close', 'volume', 'price'])

/**
 * A cell of a CSV file as a value: a number, `null` when it is empty, else its text. A whole number that JavaScript cannot
 * hold exactly stays text. Throws a {@link RowProblem} for what is no finite number where one must be.
 */
export function parseCell(text: string, column: string): number | string | null {
  const value = Number(text)
  if (isPlainNumber(text, value) || numberText.test(text)) {
    const isExact = Number.isSafeInteger(value) || !wholeNumber.test(text) || numberColumns.has(column)
    return isExact ? finite(value, column) : text
  }
  if (numberColumns.has(column) || notFinite.test(text)) throw notNumber(column, text)
  return text === '' ? null : text
}

function finite(value: number, column: string): number {
  if (!Number.isFinite(value)) throw notNumber(column, String(value))
  return value === 0 ? 0 : value
}

function notNumber(column: string, text: string): RowProblem {
  const found = text === '' ? 'is empty' : `is "${text.slice(0, 40)}"`
  return new RowProblem(
    `column "${column}" ${found}, which is not a number`,
    'Write a finite number with a decimal point, or remove the row: gaps are fine.',
  )
}

/** The usual case without a regular expression, twice as fast: what starts with 1 to 9, ends in a digit and is a number. */
function isPlainNumber(text: string, value: number): boolean {
  const first = text.charCodeAt(0)
  const last = text.charCodeAt(text.length - 1)
  return first >= 49 && first <= 57 && last >= 48 && last <= 57 && Number.isFinite(value)
}
