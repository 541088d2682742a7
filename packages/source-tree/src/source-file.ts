import { readdirSync, readFileSync } from 'node:fs'
import { join, posix, sep } from 'node:path'
import ts from 'typescript'

/** The files of a package by their path under `src/`, with slashes. */
export type SourceTree = ReadonlyMap<string, ts.SourceFile>

/** A violation of a rule; lines count from 1. */
export interface Finding {
  readonly path: string
  readonly line: number
  readonly cause: string
}

export function readSourceTree(folder: string): SourceTree {
  const paths = readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter((path) => /\.tsx?$/.test(path))
  return parseSources(paths.sort().map((path) => [path.split(sep).join('/'), readFileSync(join(folder, path), 'utf8')]))
}

export function parseSources(files: Iterable<readonly [path: string, text: string]>): SourceTree {
  return new Map(
    [...files].map(([path, text]) => [path, ts.createSourceFile(path, text, ts.ScriptTarget.Latest, true)]),
  )
}

/** Whether a file is a test, a conformance suite, or code used only by them. */
export function isTestCode(path: string): boolean {
  return (
    /\.(test|test-d|testsuite|testkit)\.tsx?$/.test(path) ||
    /(^|\/)(test-database|store-samples)[a-z-]*\.ts$/.test(path) ||
    path.includes('/testing/')
  )
}

/** The line of a node, counted from 1. */
export function lineOf(source: ts.SourceFile, node: ts.Node): number {
  return source.getLineAndCharacterOfPosition(node.getStart(source)).line + 1
}

/** Every module specifier in a file: import, export from, import(), and import('...') as a type. */
export function specifiersIn(source: ts.SourceFile): ts.StringLiteralLike[] {
  const found: ts.StringLiteralLike[] = []
  const visit = (node: ts.Node): void => {
    const specifier = specifierOf(node)
    if (specifier !== undefined) found.push(specifier)
    ts.forEachChild(node, visit)
  }
  visit(source)
  return found
}

/** Resolves a relative specifier of a file to a path under `src/`. */
export function resolveSpecifier(path: string, specifier: string): string {
  return posix.join(posix.dirname(path), specifier)
}

function specifierOf(node: ts.Node): ts.StringLiteralLike | undefined {
  const specifier =
    ts.isImportDeclaration(node) || ts.isExportDeclaration(node)
      ? node.moduleSpecifier
      : ts.isCallExpression(node) && node.expression.kind === ts.SyntaxKind.ImportKeyword
        ? node.arguments[0]
        : ts.isImportTypeNode(node) && ts.isLiteralTypeNode(node.argument)
          ? node.argument.literal
          : undefined
  return specifier !== undefined && ts.isStringLiteralLike(specifier) ? specifier : undefined
}
