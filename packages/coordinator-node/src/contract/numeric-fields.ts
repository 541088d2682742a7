import { z } from 'zod'

/** The fields of an object schema that are numbers, in its order; none for a schema that zod cannot describe. */
export function numericFields(schema: z.ZodType): string[] {
  const json = z.toJSONSchema(schema, { io: 'output', unrepresentable: 'any' })
  return Object.entries(json.properties ?? {}).flatMap(([name, property]) =>
    typeof property === 'object' && (property.type === 'number' || property.type === 'integer') ? [name] : [],
  )
}
