import { z } from 'zod'
import { exampleText } from '../../contract/schema/example-text.ts'
import { strictSchema } from '../../contract/schema/strict-schema.ts'
import { issueText } from '../../domain/json/issue-text.ts'

/** At most so many faults are reported; an answer may have thousands. */
const maxIssues = 10

export type ValidAnswer =
  | { readonly isValid: true; readonly output: unknown }
  | { readonly isValid: false; readonly detail: string }

/**
 * Validates an answer by a schema. `safeParse` would collect each fault of a wrong answer and format a message about
 * it, which costs ten times as much as a valid answer of that size. Unless `allFaults` are wanted, this stops at the
 * first wrong field or item of a list, and formats only a few messages. zod's own `validate` also sets `abortEarly`; versions
 * that do not know it ignore it. Throws the errors of the author's own checks.
 */
export function validateAnswer(schema: z.ZodType, answer: unknown, allFaults: boolean): ValidAnswer {
  const context: z.core.ParseContextInternal = { async: false, abortEarly: !allFaults }
  const result = strictSchema(schema)._zod.run({ value: answer, issues: [] }, context)
  if (result instanceof Promise) throw new z.core.$ZodAsyncError()
  if (result.issues.length === 0) return { isValid: true, output: result.value }
  const shown = result.issues.slice(0, maxIssues).map((issue) => finalize(issue, context))
  const texts = shown.map((issue) => issueText(issue, answer, 'output'))
  const more = result.issues.length > maxIssues ? [`${result.issues.length - maxIssues} more`] : []
  const example = exampleText(schema)
  const right = example === null ? '' : `. Example of a valid answer: ${example}`
  return { isValid: false, detail: `${[...texts, ...more].join('; ')}${right}` }
}

function finalize(issue: z.core.$ZodRawIssue, context: z.core.ParseContextInternal): z.core.$ZodIssue {
  return z.core.util.finalizeIssue(issue, context, z.core.config())
}
