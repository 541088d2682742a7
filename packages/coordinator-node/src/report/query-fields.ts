import type { Context } from 'hono'
import { z } from 'zod'
import { readInstant } from '../domain/instant-text.ts'
import { nearestName } from '../domain/nearest-name.ts'

// All query values are text.

const maxModelIds = 1_000
const maxIdLength = 200
const booleans: Readonly<Record<string, boolean>> = { true: true, false: false, 1: true, 0: false }

/** A row count from 1 to `max`. */
export function limitField(fallback: number, max: number) {
  const message = `must be a whole number from 1 to ${max}`
  return z
    .string()
    .refine((text) => /^\d{1,9}$/.test(text) && Number(text) >= 1 && Number(text) <= max, message)
    .transform(Number)
    .default(fallback)
}

export const flagField = z
  .string()
  .refine((text) => Object.hasOwn(booleans, text.toLowerCase()), 'must be true or false')
  .transform((text) => booleans[text.toLowerCase()] === true)
  .default(false)

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

/** Ids of models, separated by commas or in a parameter each; none: all models. */
export const modelIdsField = z
  .array(z.string())
  .transform((parts) => [...new Set(parts.flatMap((part) => part.split(',')).map((id) => id.trim()))].filter(Boolean))
  .refine((ids) => ids.length <= maxModelIds, `must hold at most ${maxModelIds} ids`)
  .refine((ids) => ids.every((id) => id.length <= maxIdLength), `must hold ids of at most ${maxIdLength} characters`)

/** The models and the time range of a chart's request. */
export const chartFields = {
  projectIds: modelIdsField,
  start: instantField,
  end: instantField,
  include_ensembles: flagField,
}

/** Parameters that the charts of the web application send to every route. */
const chartParameters = Object.keys(chartFields)

/** Throws a `ZodError` for unused parameters: otherwise a typo would silently change the result. */
export function refuseUnknown(context: Context, known: readonly string[]): void {
  const names = [...new Set([...known, ...chartParameters])]
  const unknown = Object.keys(context.req.queries()).filter((name) => !names.includes(name))
  if (unknown.length === 0) return
  throw new z.ZodRealError(
    unknown.map((name) => {
      const nearest = nearestName(name, names)
      const fix = nearest === undefined ? `the parameters are ${names.join(', ')}` : `did you mean ${nearest}?`
      return { code: 'custom', path: [name], message: `is not a parameter of ${context.req.path}; ${fix}`, input: name }
    }),
  )
}

/** Parses a request's query; throws a `ZodError`, which is answered with 422. The last of a repeated parameter counts. */
export function readQuery<Schema extends z.ZodObject>(context: Context, schema: Schema): z.output<Schema> {
  refuseUnknown(context, Object.keys(schema.shape))
  const all = context.req.queries()
  const last = Object.entries(all).map(([key, values]) => [key, values.at(-1)])
  return schema.parse({ ...Object.fromEntries(last), projectIds: all.projectIds ?? [] })
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
