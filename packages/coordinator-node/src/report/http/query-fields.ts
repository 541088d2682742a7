import { z } from 'zod'
import { readInstant } from '../../domain/instant-text.ts'
import type { Clock } from '../../ports/clock.ts'

// All query values are text.

const maxModelIds = 1_000
const maxIdLength = 200
const booleans: Readonly<Record<string, boolean>> = { true: true, false: false, 1: true, 0: false }

/** A row count from 1 to `max`. */
export function limitField(fallback: number, max: number) {
  return wholeNumberField(fallback, max).meta({ description: 'Maximum number of rows.' })
}

/** The same of a list that is whole by default. */
export function pageLimitField(max: number) {
  return z
    .string()
    .refine((text) => isCount(text, max), `must be a whole number from 1 to ${max}`)
    .transform(Number)
    .optional()
    .meta({ type: 'integer', minimum: 1, maximum: max, description: 'Maximum number of rows; default: all.' })
}

function isCount(text: string, max: number): boolean {
  return /^\d{1,9}$/.test(text) && Number(text) >= 1 && Number(text) <= max
}

/** A whole number from 1 to `max`. */
export function wholeNumberField(fallback: number, max: number) {
  const message = `must be a whole number from 1 to ${max}`
  return z
    .string()
    .refine((text) => isCount(text, max), message)
    .transform(Number)
    .default(fallback)
    .meta({ type: 'integer', minimum: 1, maximum: max, default: fallback })
}

export const flagField = z
  .string()
  .refine((text) => Object.hasOwn(booleans, text.toLowerCase()), 'must be true or false')
  .transform((text) => booleans[text.toLowerCase()] === true)
  .default(false)
  .meta({ description: '`true` or `false`.', type: 'boolean', default: false })

/** A time, UTC unless it has a zone. */
export const instantField = z
  .string()
  .transform((text, context) => {
    const reading = readInstant(text)
    if (reading.at !== undefined) return reading.at
    const form = 'must be a time such as 2026-03-01T10:00:00Z (a + in a URL is written %2B)'
    context.addIssue({ code: 'custom', message: `${form}: ${reading.cause}`, input: text })
    return z.NEVER
  })
  .optional()
  .meta({
    format: 'date-time',
    description: 'ISO 8601, UTC unless it has a zone; or an epoch.',
    examples: ['2026-03-01T10:00:00Z'],
  })

/** Control characters: PostgreSQL refuses NUL, and others would break the lines of a log. */
const control = /\p{Cc}/u
/** Texts without them, for readers of the schema: not all know Unicode's categories. */
const withoutControl = '^[^\\u0000-\\u001f\\u007f-\\u009f]*$'

const textField = (maxLength: number) =>
  z
    .string()
    .min(1, 'must not be empty')
    .max(maxLength, `must have at most ${maxLength} characters`)
    .refine((text) => !control.test(text), 'must not contain control characters')
    .meta({ pattern: withoutControl })

/** The text of an id. */
export const idField = textField(maxIdLength)

/** The id of a row, which contains escaped ids. */
export const rowIdField = textField(4_000)

/** Ids of models, separated by commas or in a parameter each; none: all models. */
export const modelIdsField = z
  .array(z.string().meta({ pattern: withoutControl }))
  .transform((parts) => [...new Set(parts.flatMap((part) => part.split(',')).map((id) => id.trim()))].filter(Boolean))
  .refine((ids) => ids.length <= maxModelIds, `must hold at most ${maxModelIds} ids`)
  .refine((ids) => ids.every((id) => id.length <= maxIdLength), `must hold ids of at most ${maxIdLength} characters`)
  .refine((ids) => !ids.some((id) => control.test(id)), 'must not contain control characters')
  .default([])
  .meta({ description: 'Ids of models, separated by commas or in a parameter each; none: all models.' })

const synonym = (name: string) =>
  instantField.meta({ description: `The same as \`${name}\`, and takes precedence over it.` })

/** A range of time, both ends inclusive. */
export const rangeFields = { start: instantField, end: instantField, since: synonym('start'), until: synonym('end') }

type TimeRange = { readonly [Name in keyof typeof rangeFields]?: number | undefined }

/** The range that a request names, by default the `spanMs` before now, or all until now. Throws the `ZodError` of one that ends before it starts. */
export async function readRange(
  { start, end, since, until }: TimeRange,
  clock: Pick<Clock, 'refresh'>,
  spanMs?: number,
): Promise<{ readonly from: number; readonly to: number }> {
  const to = until ?? end ?? (await clock.refresh())
  const from = since ?? start ?? (spanMs === undefined ? Number.NEGATIVE_INFINITY : to - spanMs)
  checkRange(from, to, since === undefined ? 'start' : 'since')
  return { from, to }
}

/** The models and the time range of a chart's request. */
export const chartFields = {
  projectIds: modelIdsField,
  ...rangeFields,
  include_ensembles: flagField,
}

/** Throws the `ZodError` of a range that ends before it starts. */
export function checkRange(
  from: number,
  to: number,
  property: string,
  message = 'must not be after the end of the range',
): void {
  if (from <= to) return
  throw new z.ZodRealError([{ code: 'custom', path: [property], message, input: from }])
}
