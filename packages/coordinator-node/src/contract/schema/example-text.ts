import type { z } from 'zod'
import { sampleInputs } from '../sample-values.ts'
import { strictSchema } from './strict-schema.ts'

/** A longer example would hide the faults that it explains. */
const maxLength = 300

const examples = new WeakMap<z.ZodType, string | null>()

/** A value that the schema accepts, as short JSON; `null` if its description does not suffice to make one, or if it is too long. */
export function exampleText(schema: z.ZodType): string | null {
  let example = examples.get(schema)
  if (example === undefined) {
    example = makeExample(schema)
    examples.set(schema, example)
  }
  return example
}

function makeExample(schema: z.ZodType): string | null {
  const [sample] = sampleInputs(schema, 1)
  if (sample === undefined) return null
  const short = JSON.stringify(sample, (_, value: unknown) => (typeof value === 'number' ? rounded(value) : value))
  const text = strictSchema(schema).safeParse(JSON.parse(short)).success ? short : JSON.stringify(sample)
  return text.length <= maxLength ? text : null
}

function rounded(value: number): number {
  return Number.isInteger(value) ? value : Number(value.toPrecision(3))
}
