import { z } from 'zod'
import { isJsonArray, type Json, type JsonObject, toJson } from '../domain/json/json.ts'

/** The keywords of a JSON schema that define its values. Others may change with the version of zod and are ignored. */
const meaningful = new Set([
  ...['type', 'properties', 'required', 'items', 'prefixItems', 'enum', 'const', 'anyOf', 'oneOf', 'allOf', 'not'],
  ...['minimum', 'maximum', 'exclusiveMinimum', 'exclusiveMaximum', 'multipleOf', 'minLength', 'maxLength', 'pattern'],
  ...['minItems', 'maxItems', 'propertyNames', 'additionalProperties', '$ref', '$defs'],
])

/**
 * The fields and types of a schema, as JSON. Refinements and transforms are code, not structure: a field that consists only
 * of them is described as `{}`. A schema that zod cannot describe at all is `{ unknown: true }`.
 */
export function schemaStructure(schema: z.ZodType): Json {
  try {
    return describe(toJson(z.toJSONSchema(schema, { io: 'input', unrepresentable: 'any' })) as JsonObject)
  } catch {
    return { unknown: true }
  }
}

function describe(schema: JsonObject): JsonObject {
  return Object.fromEntries(
    Object.entries(schema).flatMap(([key, value]): [string, Json][] => {
      if (!meaningful.has(key)) return []
      if (key === 'properties' || key === '$defs') return [[key, mapValues(value as JsonObject, describeAny)]]
      // The order of names is irrelevant.
      if (key === 'required') return [[key, [...(value as readonly string[])].sort()]]
      return [[key, describeAny(value)]]
    }),
  )
}

function describeAny(value: Json): Json {
  if (value === null || typeof value !== 'object') return value
  return isJsonArray(value) ? value.map(describeAny) : describe(value)
}

function mapValues(object: JsonObject, map: (value: Json) => Json): JsonObject {
  return Object.fromEntries(Object.entries(object).map(([key, value]) => [key, map(value)]))
}
