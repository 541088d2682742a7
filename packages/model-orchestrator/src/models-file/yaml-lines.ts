import { errorText } from '@crunch/local-processes/errors'
import { type Document, isNode, type LineCounter } from 'yaml'

/** The line of the deepest existing part of `path`; for a part without a position, the line of its parent. */
export function lineOf(document: Document, lines: LineCounter, path: readonly (string | number)[]): number {
  for (let length = path.length; length >= 0; length -= 1) {
    const node = length === 0 ? document.contents : document.getIn(path.slice(0, length), true)
    if (isNode(node) && node.range) return lines.linePos(node.range[0]).line
  }
  return 1
}

/** The values of a document without syntax errors. Throws the error that `invalid` makes. */
export function readDocument(document: Document, invalid: (problem: string) => Error): unknown {
  try {
    return document.toJS()
  } catch (error) {
    // Only aliases (too many, or to an anchor that does not exist) fail here.
    throw invalid(errorText(error))
  }
}
