import { z } from 'zod'
import { parseDuration } from '../domain/time.ts'
import { networkProblem } from '../report/access/client-address.ts'

// Schemas of settings. Messages name the problem or the fix, and never show the value, which may be a secret.

export const text = z.string().trim().min(1, 'is empty: remove the line to use the default')

/** Why a text is not a plain decimal number. `Number` would accept most of these, and an empty text as 0. */
export function numberProblem(value: string): string | undefined {
  if (/^-?(0|[1-9]\d*)(\.\d+)?$/.test(value)) return undefined
  if (value.trim() === '') return 'is empty: remove the line to use the default'
  if (value !== value.trim()) return 'has blanks around the number: remove them'
  if (/^[-+]?0[xob]/i.test(value)) return 'is not decimal: write the number in decimal digits'
  if (/^[-+]?\d+(\.\d+)?e[-+]?\d+$/i.test(value))
    return 'has an exponent: write the number in full, such as 1000 for 1e3'
  if (/^[-+]?\d+([_, ']\d+)+(\.\d+)?$/.test(value)) {
    return 'has separators between its digits: write the digits alone, and a point before decimals'
  }
  if (/^[-+]?\d+(\.\d+)?\s*[a-zµ%]+$/i.test(value)) return 'has a unit: write the number alone'
  if (/^\+/.test(value)) return 'has a + before the number: remove it'
  if (/^-?0\d/.test(value)) return 'has leading zeros: remove them'
  if (/^-?(\.\d+|\d+\.)$/.test(value)) return 'has no digit on one side of the point: add a 0 there'
  return 'is not a number: write it in decimal digits'
}

/** The schema of a number given as text. */
function numeric(schema: z.ZodNumber) {
  return z
    .string()
    .transform((value, context) => {
      const problem = numberProblem(value)
      if (problem === undefined) return Number(value)
      context.issues.push({ code: 'custom', input: value, message: problem })
      return z.NEVER
    })
    .pipe(schema)
}

const range = (lowest: number, highest: number) =>
  z.number().min(lowest, `must be ${lowest} to ${highest}`).max(highest, `must be ${lowest} to ${highest}`)

export const within = (lowest: number, highest: number) => numeric(range(lowest, highest))
export const countWithin = (lowest: number, highest: number) =>
  numeric(range(lowest, highest).int('must be a whole number'))
export const port = countWithin(1, 65_535)
/** Maximum replay speed: daily records at 10,000 per second are a speed of 864,000,000. */
export const speed = z.union([z.literal('max'), within(0.001, 1_000_000_000)], {
  error: 'must be max, or a number from 0.001 to 1000000000',
})

export const list = text.transform((value) =>
  value
    .split(',')
    .map((item) => item.trim())
    .filter((item) => item !== ''),
)
/** Prefixes of paths. The form is checked, not whether there are such routes: the author may add some. */
export const pathPrefixes = list.refine(
  (prefixes) => prefixes.every((prefix) => /^\/[^?#*]*$/.test(prefix)),
  'must be paths that begin with a slash, such as /reports/predictions, separated by commas',
)
export const networks = list.superRefine((values, context) => {
  const problem = values.map(networkProblem).find((found) => found !== undefined)
  if (problem !== undefined) context.addIssue({ code: 'custom', message: problem })
})
/** As the Python engine reads it, but a misspelt value is an error. */
export const yesOrNo = z
  .string()
  .refine((value) => /^(true|1|yes|false|0|no)$/i.test(value), 'must be true or false')
  .transform((value) => /^(true|1|yes)$/i.test(value))
export const duration = text.refine(
  (value) => parseDuration(value) !== undefined,
  'must be a duration such as 1m or 1d',
)
/** `fetch` refuses a URL with a password, in an error that shows it. */
export const url = (protocol: RegExp, problem: string) =>
  z.url({ protocol, error: problem }).refine((text) => !URL.canParse(text) || !hasLogin(new URL(text)), {
    error: 'must not contain a name and password: pass a key as the provider wants it, in the path or a parameter',
  })

export function hasLogin({ username, password }: URL): boolean {
  return username !== '' || password !== ''
}
/** Matches a Python function as the Python engine names it, `package.module:name`, or a Python file. */
const pythonPath = /\.pyc?\b|^[A-Za-z_][\w.]*:[A-Za-z_]\w*$/

/** @param difference how arguments and result differ from those of the Python function, if a direct port would not work */
export const functionPath = (difference?: string) =>
  text.superRefine((value, context) => {
    if (pythonPath.test(value)) {
      const fix = 'write that function in TypeScript and name it as path/to/module.ts#exportName'
      const message = `names Python code, which this node does not run: ${fix}${difference === undefined ? '' : `. ${difference}`}`
      context.addIssue({ code: 'custom', message })
    } else if (!/^[^#]+#[A-Za-z_$][\w$]*$/.test(value)) {
      context.addIssue({ code: 'custom', message: 'must be path/to/module.ts#exportName' })
    }
  })
