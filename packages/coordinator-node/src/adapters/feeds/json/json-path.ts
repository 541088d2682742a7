import { errorText } from '@crunch/local-processes/errors'
import { type JsonValue, query } from 'jsonpath-rfc9535'
import parse from 'jsonpath-rfc9535/parser'
import { CrunchError } from '../../../domain/errors.ts'

/** Finds all values that a JSONPath (RFC 9535) selects. `option` names the option that contains it, for the error. */
export function compilePath(path: string, option: string): (document: unknown) => unknown[] {
  parsePath(path, option)
  return (document) => query(document as JsonValue, path)
}

/**
 * Finds the one value that a JSONPath of names and indices selects, or `undefined`. The path is parsed once, because it is
 * applied to every row of a document.
 */
export function compileSingularPath(path: string, option: string): (document: unknown) => unknown {
  const steps = parsePath(path, option).segments.map(({ type, node }) => {
    const selectors = node.type === 'BracketedSelection' ? node.selectors : [node]
    const [selector] = selectors
    const isSingular = type === 'ChildSegment' && selectors.length === 1
    if (isSingular && selector?.type === 'MemberNameShorthand') return selector.value
    if (isSingular && (selector?.type === 'NameSelector' || selector?.type === 'IndexSelector')) return selector.value
    throw invalid(path, option, 'may select several values; name one, as in "$.price" or "$[4]"')
  })
  return (document) => steps.reduce(step, document)
}

function step(value: unknown, key: string | number): unknown {
  if (typeof key === 'number') return Array.isArray(value) ? value.at(key) : undefined
  if (typeof value !== 'object' || value === null || Array.isArray(value) || !Object.hasOwn(value, key))
    return undefined
  return (value as Readonly<Record<string, unknown>>)[key]
}

function parsePath(path: string, option: string): ReturnType<typeof parse> {
  try {
    return parse(path)
  } catch (error) {
    const cause = errorText(error)
    throw invalid(path, option, `is not a JSONPath: ${cause} It begins with "$", as in "$.data[*]"`)
  }
}

function invalid(path: string, option: string, problem: string): CrunchError {
  return new CrunchError('CONTRACT_INVALID', `pollJson: ${option} "${path}" ${problem}`)
}
