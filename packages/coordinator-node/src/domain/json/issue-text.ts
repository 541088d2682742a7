import type { z } from 'zod'
import { nearestName } from '../nearest-name.ts'

const maxNames = 12
const maxValueLength = 40

/**
 * One fault that a schema found in a value: field, rule and the value found. A missing field is listed with the fields that
 * exist.
 * @param value the refused value; `undefined` if it is not known
 * @param whole name of the value itself, for a fault that concerns no single field
 */
export function issueText(issue: z.core.$ZodIssue, value: unknown, whole: string): string {
  const { path, message, code } = issue
  const field = path.map(String).join('.') || whole
  // A custom message is the author's own text.
  if (value === undefined || code === 'custom' || code === 'unrecognized_keys') return `${field}: ${message}`
  const key = path.at(-1)
  const owner = path.slice(0, -1).reduce<unknown>(memberOf, value)
  if (key !== undefined && isObject(owner) && !Array.isArray(owner) && !Object.hasOwn(owner, key)) {
    const expected = code === 'invalid_type' ? ` (expected ${issue.expected})` : ''
    return `${field}: is missing${expected}${otherNames(String(key), Object.keys(owner))}`
  }
  const found = path.length === 0 ? value : memberOf(owner, key as PropertyKey)
  // The message itself says that nothing was received.
  return `${field}: ${message}${(found ?? null) === null ? '' : `, found ${shownValue(found)}`}`
}

/** The texts of the first faults, and the number of the others. */
export function issueTexts(
  issues: readonly z.core.$ZodIssue[],
  value: unknown,
  whole: string,
  maxIssues = issues.length,
): string {
  const shown = issues.slice(0, maxIssues).map((issue) => issueText(issue, value, whole))
  const more = issues.length > maxIssues ? [`${issues.length - maxIssues} more`] : []
  return [...shown, ...more].join('; ')
}

function memberOf(value: unknown, key: PropertyKey): unknown {
  return isObject(value) && Object.hasOwn(value, key) ? value[key as never] : undefined
}

function isObject(value: unknown): value is object {
  return typeof value === 'object' && value !== null
}

function otherNames(name: string, names: readonly string[]): string {
  if (names.length === 0) return '. There are no fields'
  const nearest = nearestName(name, names)
  const question = nearest === undefined ? '' : `, did you mean "${nearest}"?`
  const more = names.length > maxNames ? ` and ${names.length - maxNames} more` : ''
  return `${question || '.'} There ${names.length === 1 ? 'is' : 'are'} ${names.slice(0, maxNames).join(', ')}${more}`
}

/** A value in a few words: only scalars are shown, because an object may be large, and in process need not be JSON. */
function shownValue(value: unknown): string {
  if (Array.isArray(value)) return `a list of ${value.length}`
  if (isObject(value)) return `an object of ${Object.keys(value).slice(0, 3).join(', ') || 'no fields'}`
  const text = typeof value === 'string' ? JSON.stringify(value) : String(value)
  return text.length <= maxValueLength ? text : `${text.slice(0, maxValueLength)}…`
}
