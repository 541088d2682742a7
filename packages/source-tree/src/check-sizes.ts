import ts from 'typescript'
import { type Finding, isTestCode, lineOf, type SourceTree } from './source-file.ts'

const fileLimit = 400
const functionLimit = 70

/** Finds files that are too long and, except in test code, functions that are too long. */
export function checkSizes(tree: SourceTree): Finding[] {
  return [...tree].flatMap(([path, source]) => [
    ...longFile(source),
    ...(isTestCode(path) ? [] : longFunctions(source)),
  ])
}

function longFile({ fileName: path, text }: ts.SourceFile): Finding[] {
  const lineCount = text.split('\n').length - (text.endsWith('\n') ? 1 : 0)
  if (lineCount <= fileLimit) return []
  return [{ path, line: 1, cause: `the file has ${lineCount} lines, at most ${fileLimit} are allowed` }]
}

function longFunctions(source: ts.SourceFile): Finding[] {
  const found: Finding[] = []
  const visit = (node: ts.Node): void => {
    if (ts.isFunctionLike(node) && 'body' in node && node.body !== undefined) {
      const line = lineOf(source, node)
      const lineCount = source.getLineAndCharacterOfPosition(node.end).line + 1 - line + 1
      if (lineCount > functionLimit) {
        const name = node.name?.getText(source) ?? 'a function'
        const cause = `${name} has ${lineCount} lines, at most ${functionLimit} are allowed`
        found.push({ path: source.fileName, line, cause })
      }
    }
    ts.forEachChild(node, visit)
  }
  visit(source)
  return found
}
