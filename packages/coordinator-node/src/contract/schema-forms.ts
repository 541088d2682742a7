import { z } from 'zod'

/**
 * How often one value of an answer may be checked at most: a union tries each of its forms until one fits, and what lies in a form is
 * checked within each form of the unions around it. A discriminated union goes straight to the right form.
 */
export function schemaForms(schema: z.ZodType): number {
  return countForms(schema, new Set())
}

function countForms(schema: z.core.$ZodType, around: ReadonlySet<z.core.$ZodType>): number {
  // What a schema that contains itself has checked once, zod remembers.
  if (around.has(schema)) return 1
  const inner = [...innerSchemas(schema)].map((one) => countForms(one, new Set([...around, schema])))
  const checksAll = isTriedInTurn(schema) || schema instanceof z.core.$ZodIntersection
  return checksAll ? inner.reduce((sum, forms) => sum + forms, 0) : Math.max(1, ...inner)
}

function isTriedInTurn(schema: z.core.$ZodType): boolean {
  if (schema instanceof z.core.$ZodDiscriminatedUnion) return schema._zod.def.unionFallback === true
  return schema instanceof z.core.$ZodUnion
}

/** The schemas that a schema is made of. */
function* innerSchemas(schema: z.core.$ZodType): Iterable<z.core.$ZodType> {
  if (schema instanceof z.core.$ZodLazy) yield schema._zod.innerType
  else yield* schemasIn(Object.values(schema._zod.def))
}

/** Those among values, and in lists and shapes among them. */
function* schemasIn(values: readonly unknown[]): Iterable<z.core.$ZodType> {
  for (const value of values) {
    if (value instanceof z.core.$ZodType) yield value
    else if (Array.isArray(value)) yield* value.filter((item) => item instanceof z.core.$ZodType)
    else if (typeof value === 'object' && value !== null) {
      yield* Object.values(value).filter((item) => item instanceof z.core.$ZodType)
    }
  }
}
