import { z } from 'zod'
import { strictSchema } from './schema/strict-schema.ts'

type JsonSchema = z.core.JSONSchema.BaseSchema

/**
 * Parsed values of a schema, as different as its bounds allow, for a dry run of an author's functions.
 * Fewer than `count`, or none, if the schema has rules that its description does not show.
 */
export function sampleValues(schema: z.ZodType, count: number): unknown[] {
  return samples(schema, count).map(({ parsed }) => parsed)
}

/** The same values before the schema parses them, as a model would send them. */
export function sampleInputs(schema: z.ZodType, count: number): unknown[] {
  return samples(schema, count).map(({ input }) => input)
}

function samples(schema: z.ZodType, count: number): { readonly input: unknown; readonly parsed: unknown }[] {
  let json: JsonSchema
  try {
    json = z.toJSONSchema(schema, { io: 'input', unrepresentable: 'any' })
  } catch {
    // A schema that zod itself cannot describe (a custom type) has no samples; the dry run then checks nothing.
    return []
  }
  return Array.from({ length: count }, (_, index) => sample(json, index)).flatMap((input) => {
    try {
      const parsed = strictSchema(schema).safeParse(input)
      return parsed.success ? [{ input, parsed: parsed.data }] : []
    } catch {
      // A refinement that throws refuses the sample like any other.
      return []
    }
  })
}

/** @param json `undefined` for an empty union, which accepts no value */
function sample(json: JsonSchema | boolean | undefined, index: number): unknown {
  if (typeof json !== 'object') return index
  if (json.const !== undefined) return json.const
  if (json.enum !== undefined) return json.enum[index % json.enum.length]
  const options = json.anyOf ?? json.oneOf
  if (options !== undefined) return sample(options[index % options.length], index)
  switch (json.type) {
    case 'number':
      return numberBetween(json, index)
    case 'integer':
      return Math.round(numberBetween(json, index))
    case 'boolean':
      return index % 2 === 0
    case 'array': {
      const length = Math.max(json.minItems ?? 0, Math.min(json.maxItems ?? 3, 3))
      const items = json.items as JsonSchema | boolean | undefined
      return Array.from({ length }, (_, item) => sample(json.prefixItems?.[item] ?? items, index + item))
    }
    case 'object':
      return Object.fromEntries(
        Object.entries(json.properties ?? {}).map(([key, property], field) => [
          key,
          sample(property as JsonSchema, index * 7 + field * 3),
        ]),
      )
    case 'null':
      return null
    default:
      return `sample-${index}`
  }
}

/** Spread over the allowed range by the golden ratio, so that neighbours differ. */
function numberBetween(json: JsonSchema, index: number): number {
  const low = bound(json.minimum ?? json.exclusiveMinimum)
  const high = bound(json.maximum ?? json.exclusiveMaximum)
  const from = low ?? (high === undefined ? -3 : high - 6)
  const to = high ?? from + 6
  const fraction = ((index + 1) * 0.6180339887498949) % 1
  return from + (to - from) * (0.02 + 0.96 * fraction)
}

/** A bound that limits; zod writes the range of safe integers for every integer. */
function bound(value: unknown): number | undefined {
  return typeof value === 'number' && Math.abs(value) < Number.MAX_SAFE_INTEGER ? value : undefined
}
