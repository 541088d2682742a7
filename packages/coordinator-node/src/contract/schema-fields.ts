import { z } from 'zod'

/** A field of a schema, for people. */
export interface SchemaField {
  /** `price.close`, `closes[]`; empty for a value that is no object. */
  readonly name: string
  readonly type: string
  /** `unit` of the field's `.meta()`. */
  readonly unit: string | null
  readonly description: string | null
  readonly required: boolean
  readonly minimum: number | null
  readonly maximum: number | null
}

type JsonSchema = z.core.JSONSchema.BaseSchema

/** What a person still reads; a schema can describe more. */
const maxDepth = 4

/** The fields of a schema in its order; `null` for a schema that zod cannot describe. */
export function schemaFields(schema: z.ZodType, io: 'input' | 'output'): SchemaField[] | null {
  try {
    return fieldsOf('', z.toJSONSchema(schema, { io, unrepresentable: 'any' }) as JsonSchema, true, 0)
  } catch {
    return null
  }
}

/** An object has the fields in it, and a list of objects those of its items; every other value is one field. */
function fieldsOf(name: string, schema: JsonSchema, required: boolean, depth: number): SchemaField[] {
  const items = asSchema(schema.items)
  if (depth < maxDepth && items?.properties !== undefined) return fieldsOf(`${name}[]`, items, required, depth + 1)
  if (depth >= maxDepth || schema.properties === undefined) return [fieldOf(name, schema, required)]
  const inner = new Set(schema.required)
  return Object.entries(schema.properties).flatMap(([key, property]) =>
    fieldsOf(name === '' ? key : `${name}.${key}`, asSchema(property) ?? {}, required && inner.has(key), depth + 1),
  )
}

function fieldOf(name: string, schema: JsonSchema, required: boolean): SchemaField {
  const unit = schema.unit
  return {
    name,
    type: typeText(schema),
    unit: typeof unit === 'string' ? unit : null,
    description: schema.description ?? null,
    required,
    minimum: bound(schema.minimum ?? schema.exclusiveMinimum),
    maximum: bound(schema.maximum ?? schema.exclusiveMaximum),
  }
}

function typeText(schema: JsonSchema): string {
  const forms = schema.anyOf ?? schema.oneOf
  if (forms !== undefined) return [...new Set(forms.map((form) => typeText(asSchema(form) ?? {})))].join(' or ')
  if (schema.enum !== undefined) return schema.enum.map((value) => JSON.stringify(value)).join(' or ')
  if (schema.const !== undefined) return JSON.stringify(schema.const)
  const items = asSchema(schema.items)
  if (items !== undefined) return `list of ${typeText(items)}`
  return [schema.type ?? 'any'].flat().join(' or ')
}

/** zod bounds every integer by those that JavaScript can represent, which says nothing. */
function bound(value: unknown): number | null {
  return typeof value === 'number' && Math.abs(value) < Number.MAX_SAFE_INTEGER ? value : null
}

function asSchema(value: unknown): JsonSchema | undefined {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as JsonSchema) : undefined
}
