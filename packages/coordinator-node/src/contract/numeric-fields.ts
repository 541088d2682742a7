import { z } from 'zod'

/** The fields of an object that are numbers. */
export type NumericField<Values> = { [Key in keyof Values]-?: Values[Key] extends number ? Key : never }[keyof Values] &
  string

/** The fields of an object schema that are numbers, in its order; none for a schema that zod cannot describe. */
export function numericFields(schema: z.ZodType): string[] {
  const json = z.toJSONSchema(schema, { io: 'output', unrepresentable: 'any' })
  return Object.entries(json.properties ?? {}).flatMap(([name, property]) =>
    typeof property === 'object' && (property.type === 'number' || property.type === 'integer') ? [name] : [],
  )
}
