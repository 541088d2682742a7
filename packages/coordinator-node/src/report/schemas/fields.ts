import { z } from 'zod'

/** `2026-03-01T10:00:00.000Z` */
export const zonedTime = z
  .string()
  .regex(/^[+-]?\d{4,6}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/)
  .meta({ format: 'date-time', description: 'UTC, with Z.' })

/** `2026-03-01T10:00:00.000` */
export const naiveTime = z
  .string()
  .regex(/^[+-]?\d{4,6}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}$/)
  .meta({ description: 'UTC, without Z: charts append it.' })

export const numberOrNull = z.number().nullable()
export const textOrNull = z.string().nullable()
export const count = z.number().int().min(0)
export const role = z.enum(['participant', 'baseline', 'organizer'])

/** A JSON value of the contract: an answer, a truth. */
export const contractValue = z.unknown().meta({ description: 'In the form of the contract.' })

/**
 * A row with a number for each name that the contract defines, such as the fields of a score, beside its fixed fields. For handlers
 * and clients these have the type `unknown`, since TypeScript cannot tell them from the fixed ones.
 */
export function scoredRow<Shape extends z.ZodRawShape>(shape: Shape): z.ZodObject<Shape, z.core.$loose> {
  return z.object(shape).catchall(numberOrNull) as unknown as z.ZodObject<Shape, z.core.$loose>
}
