import { z } from 'zod'
import { innerSchemas } from '../schema-forms.ts'

type Schema = z.core.$ZodType
// biome-ignore lint/suspicious/noExplicitAny: the type of a schema's input is not known here
type AnyInput = z.core.$ZodType<unknown, any>

const strictSchemas = new WeakMap<Schema, Schema>()

/**
 * The schema, except that `z.coerce` invents no value. JavaScript makes 0 of an empty text, `null`, `false` and `[]`, `true` of
 * the text "false", and the text "undefined" of a missing value; here they are refused. In a schema with `optional`, `default`
 * or `nullable`, an empty value counts as a missing one.
 */
export function strictSchema<Strict extends z.ZodType>(schema: Strict): Strict {
  let strict = strictSchemas.get(schema)
  if (strict === undefined) {
    strict = coerces(schema, new Set()) ? guardedCopy(schema, new Map()) : schema
    strictSchemas.set(schema, strict)
  }
  return strict as Strict
}

function coerces(schema: Schema, seen: Set<Schema>): boolean {
  if (seen.has(schema)) return false
  seen.add(schema)
  return coercedType(schema) !== null || [...innerSchemas(schema)].some((inner) => coerces(inner, seen))
}

/** The type of a `z.coerce` schema. */
function coercedType({ _zod: { def } }: Schema): string | null {
  return 'coerce' in def && def.coerce === true ? def.type : null
}

/** A copy with a guard before each schema that coerces. */
function guardedCopy(schema: Schema, copies: Map<Schema, Schema>): Schema {
  const known = copies.get(schema)
  if (known !== undefined) return known
  const copy = coercedType(schema) === null ? withoutEmpty(schema, copyOf(schema, copies)) : refusing(schema)
  copies.set(schema, copy)
  return copy
}

function copyOf(schema: Schema, copies: Map<Schema, Schema>): Schema {
  const { def } = schema._zod
  const copied = (part: unknown): unknown => {
    if (part instanceof z.core.$ZodType) return guardedCopy(part, copies)
    return Array.isArray(part) ? part.map(copied) : part
  }
  const parts: Record<string, unknown> = Object.fromEntries(
    Object.entries(def).map(([name, part]) => [name, name === 'checks' ? part : copied(part)]),
  )
  // Schemas that may contain themselves are copied when they are first used.
  if (schema instanceof z.core.$ZodObject) parts.shape = deferredShape(schema._zod.def.shape, copied)
  if (schema instanceof z.core.$ZodLazy) {
    Object.assign(parts, { getter: () => copied(schema._zod.innerType), _cachedInner: undefined })
  }
  return z.core.clone(schema, parts as unknown as z.core.$ZodTypeDef)
}

function deferredShape(shape: z.core.$ZodShape, copied: (part: unknown) => unknown): object {
  const getters = Object.keys(shape).map((key) => [key, { enumerable: true, get: () => copied(shape[key]) }])
  return Object.defineProperties({}, Object.fromEntries(getters) as PropertyDescriptorMap)
}

/** Refuses, before a schema that coerces, the values of which it would invent another one. */
function refusing(schema: Schema): Schema {
  const type = coercedType(schema) ?? ''
  const guard = z.transform((value, context) => {
    if (value === undefined) {
      context.issues.push({ code: 'invalid_type', expected: type as 'number', input: value, message: 'is missing' })
      return z.NEVER
    }
    const problem = inventionOf(type, value)
    if (problem === null) return value
    context.issues.push({ code: 'custom', input: value, message: problem })
    return z.NEVER
  })
  return z.pipe(guard, schema as AnyInput)
}

/** What is wrong with a value that `z.coerce` accepts. */
function inventionOf(type: string, value: unknown): string | null {
  if (isEmpty(type, value)) return 'is empty; if it may be, add .optional() or .nullable() to its schema'
  if (type === 'boolean') {
    if (typeof value === 'boolean' || value === 0 || value === 1) return null
    return typeof value === 'string'
      ? `is ${JSON.stringify(value)}, and z.coerce.boolean() makes true of every text; use z.stringbool()`
      : `is ${JSON.stringify(value)}, which is not true or false`
  }
  const isScalar = typeof value !== 'object' || value instanceof Date
  if (isScalar && (type === 'string' || typeof value !== 'boolean')) return null
  return `is ${JSON.stringify(value)}, which is not a ${type === 'string' ? 'text' : type}`
}

function isEmpty(type: string, value: unknown): boolean {
  return value === null || (type !== 'string' && typeof value === 'string' && value.trim() === '')
}

/** Where a wrapper of a schema that coerces says what a missing value means, an empty one means the same. */
function withoutEmpty(schema: Schema, copy: Schema): Schema {
  const wrappers = wrappersOf(schema)
  const type = coercedType(wrappers.inner)
  const missing = wrappers.types.includes('nullable') ? null : undefined
  if (type === null || !wrappers.types.some((one) => meansMissing.includes(one))) return copy
  return z.pipe(
    z.transform((value) => (isEmpty(type, value) ? missing : value)),
    copy as AnyInput,
  )
}

const meansMissing: readonly string[] = ['optional', 'default', 'prefault', 'nullable']

/** The wrappers around a schema, outermost first. */
function wrappersOf(schema: Schema): { readonly types: readonly string[]; readonly inner: Schema } {
  const types: string[] = []
  let inner = schema
  for (;;) {
    const { def } = inner._zod
    if (!('innerType' in def)) return { types, inner }
    types.push(def.type)
    inner = def.innerType as Schema
  }
}
