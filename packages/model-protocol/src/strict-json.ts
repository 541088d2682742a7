/** Deeper nesting is refused, which also detects cycles. */
const MAX_DEPTH = 500

/**
 * Writes strict JSON. `JSON.stringify` turns NaN into null and a Map into `{}`; here these are errors that name the
 * place. Bigints become integer literals, `undefined` properties are left out, `toJSON` is called. Throws a TypeError.
 */
export function writeStrictJson(value: unknown): string {
  const scan: Scan = { bigints: false }
  const problem = findProblem(value, 0, scan)
  if (problem !== undefined)
    throw new TypeError(`${problem.path === '' ? 'the value' : `$${problem.path}`} ${problem.cause}`)
  // The native function is several times faster, and fails only for bigints.
  return scan.bigints ? writeValue(value) : JSON.stringify(value)
}

interface Scan {
  bigints: boolean
}

interface Problem {
  readonly path: string
  readonly cause: string
}

function findProblem(value: unknown, depth: number, scan: Scan): Problem | undefined {
  switch (typeof value) {
    case 'string':
    case 'boolean':
      return undefined
    case 'number':
      return Number.isFinite(value) ? undefined : { path: '', cause: `is ${value}, which JSON cannot express` }
    case 'bigint':
      scan.bigints = true
      return undefined
    case 'object':
      return value === null ? undefined : findObjectProblem(value, depth, scan)
    default:
      return {
        path: '',
        cause: `is ${value === undefined ? 'undefined' : `a ${typeof value}`}, which JSON cannot express`,
      }
  }
}

function findObjectProblem(value: object, depth: number, scan: Scan): Problem | undefined {
  if (depth > MAX_DEPTH) return { path: '', cause: `is nested deeper than ${MAX_DEPTH} levels, or refers to itself` }
  if (hasToJson(value)) return findProblem(value.toJSON(), depth + 1, scan)
  if (Array.isArray(value)) {
    for (let index = 0; index < value.length; index += 1) {
      const problem = findProblem(value[index], depth + 1, scan)
      if (problem !== undefined) return { path: `[${index}]${problem.path}`, cause: problem.cause }
    }
    return undefined
  }
  if (value instanceof Map || value instanceof Set || ArrayBuffer.isView(value)) {
    return {
      path: '',
      cause: `is a ${value.constructor.name}, which JSON cannot express: make it a plain object or array`,
    }
  }
  for (const [key, item] of Object.entries(value)) {
    if (item === undefined) continue
    const problem = findProblem(item, depth + 1, scan)
    if (problem !== undefined) return { path: `.${key}${problem.path}`, cause: problem.cause }
  }
  return undefined
}

function writeValue(value: unknown): string {
  if (typeof value === 'bigint') return value.toString()
  if (typeof value !== 'object' || value === null) return JSON.stringify(value)
  if (hasToJson(value)) return writeValue(value.toJSON())
  if (Array.isArray(value)) return `[${value.map(writeValue).join(',')}]`
  const members = Object.entries(value).filter(([, item]) => item !== undefined)
  return `{${members.map(([key, item]) => `${JSON.stringify(key)}:${writeValue(item)}`).join(',')}}`
}

function hasToJson(value: object): value is { toJSON(): unknown } {
  return 'toJSON' in value && typeof value.toJSON === 'function'
}
