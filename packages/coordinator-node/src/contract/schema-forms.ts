import { z } from 'zod'

/**
 * The maximum number of checks of one value of an answer: a union tries its forms until one matches, and nested values are
 * checked within each form of the enclosing unions. A discriminated union directly uses the right form.
 */
export function schemaForms(schema: z.ZodType): number {
  return countForms(schema, new Set())
}

function countForms(schema: z.core.$ZodType, around: ReadonlySet<z.core.$ZodType>): number {
  // zod caches the results of a recursive schema.
  if (around.has(schema)) return 1
  const inner = [...innerSchemas(schema)].map((one) => countForms(one, new Set([...around, schema])))
  const checksAll = isTriedInTurn(schema) || schema instanceof z.core.$ZodIntersection
  return checksAll ? inner.reduce((sum, forms) => sum + forms, 0) : Math.max(1, ...inner)
}

function isTriedInTurn(schema: z.core.$ZodType): boolean {
  if (schema instanceof z.core.$ZodDiscriminatedUnion) return schema._zod.def.unionFallback === true
  return schema instanceof z.core.$ZodUnion
}

/** The schemas that a schema contains. */
export function* innerSchemas(schema: z.core.$ZodType): Iterable<z.core.$ZodType> {
  if (schema instanceof z.core.$ZodLazy) yield schema._zod.innerType
  else yield* schemasIn(Object.values(schema._zod.def))
}

/** The schemas among values, and in lists and shapes among them. */
function* schemasIn(values: readonly unknown[]): Iterable<z.core.$ZodType> {
  for (const value of values) {
    if (value instanceof z.core.$ZodType) yield value
    else if (Array.isArray(value)) yield* value.filter((item) => item instanceof z.core.$ZodType)
    else if (typeof value === 'object' && value !== null) {
      yield* Object.values(value).filter((item) => item instanceof z.core.$ZodType)
    }
  }
}
