const OPENING = '([{'
const CLOSING = ')]}'

/**
 * The names of a function's parameters in order, '' for parameters without a single name (destructured, rest). Parses the
 * source, since JavaScript offers no other way. Native functions return [].
 */
export function parameterNames(method: (...values: never[]) => unknown): string[] {
  const source = Function.prototype.toString.call(method)
  const single = /^(?:async\s+)?([\w$]+)\s*=>/.exec(source)?.[1]
  if (single !== undefined) return [single]
  return splitParameters(source, source.indexOf('(') + 1).map((text) => /^\s*([\w$]+)/.exec(text)?.[1] ?? '')
}

function splitParameters(source: string, from: number): string[] {
  const parts: string[] = []
  let depth = 0
  let startedAt = from
  for (let at = from; at < source.length; at += 1) {
    const character = source[at]!
    if (`'"\``.includes(character)) at = skipString(source, at)
    else if (OPENING.includes(character)) depth += 1
    else if (CLOSING.includes(character) && depth > 0) depth -= 1
    else if (depth === 0 && (character === ',' || character === ')')) {
      parts.push(source.slice(startedAt, at))
      startedAt = at + 1
      if (character === ')') break
    }
  }
  // A trailing comma, or no parameters at all, leaves an empty part.
  return parts.at(-1)?.trim() === '' ? parts.slice(0, -1) : parts
}

function skipString(source: string, openedAt: number): number {
  let at = openedAt + 1
  while (at < source.length && source[at] !== source[openedAt]) at += source[at] === '\\' ? 2 : 1
  return at
}
