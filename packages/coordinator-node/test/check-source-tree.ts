import { isBuiltin } from 'node:module'
import { posix } from 'node:path'
import ts from 'typescript'

/** The text of each file by its path under `src/`, with slashes. */
export type SourceTree = ReadonlyMap<string, string>

/** `path:line: what is wrong`. An exception carries `// tidy-ok: reason` on that line. */
export type Violation = string

const fileLimit = 400
const functionLimit = 70

/** What each layer may import, itself included: the arrows of ARCHITECTURE.md, read backwards. */
const mayImport: Readonly<Record<string, readonly string[]>> = {
  domain: ['domain'],
  ports: ['ports', 'domain'],
  contract: ['contract', 'ports', 'domain'],
  stages: ['stages', 'contract', 'ports', 'domain'],
  pipeline: ['pipeline', 'stages', 'contract', 'ports', 'domain'],
  adapters: ['adapters', 'ports', 'domain'],
  report: ['report', 'ports', 'domain'],
  simulation: ['simulation', 'adapters', 'pipeline', 'stages', 'contract', 'ports', 'domain'],
  live: ['live', 'report', 'adapters', 'pipeline', 'stages', 'contract', 'ports', 'domain'],
}

/** Folders whose inner folders must not know each other. */
const separated = ['stages', 'adapters']

const entries = ['index.ts', 'workers.ts', 'feeds.ts', 'scoring.ts', 'testing.ts', 'internal.ts']

const pureLayers = ['domain', 'ports', 'contract', 'stages', 'pipeline']
/** Packages that compute and do nothing else. `node:crypto` is for hashes; `randomUUID` is found by its name. */
const purePackages = ['zod', 'fastest-levenshtein', 'canonicalize', 'decimal.js', 'simple-statistics', 'node:crypto']
const impureNames = [
  ...['setTimeout', 'setInterval', 'setImmediate', 'randomUUID', 'randomBytes', 'getRandomValues'],
  ...['process', 'console', 'performance', 'fetch', 'require'],
]
const impureMembers = ['Date.now', 'Math.random', 'globalThis.process', 'globalThis.console']

/** Checks what architecture.md section 3 says of a tree of sources. In order of path and line. */
export function checkSourceTree(tree: SourceTree): Violation[] {
  return [...tree].sort(([left], [right]) => (left < right ? -1 : 1)).flatMap(([path, text]) => checkFile(path, text))
}

function checkFile(path: string, text: string): Violation[] {
  const source = ts.createSourceFile(path, text, ts.ScriptTarget.Latest, true)
  const lines = text.split('\n')
  const found: { readonly line: number; readonly cause: string }[] = []
  const report = (position: number, cause: string) => {
    found.push({ line: source.getLineAndCharacterOfPosition(position).line + 1, cause })
  }
  const lineCount = text.endsWith('\n') ? lines.length - 1 : lines.length
  if (lineCount > fileLimit) report(0, `the file has ${lineCount} lines, at most ${fileLimit} are allowed`)
  if (!isTestCode(path)) {
    const layer = layerOf(path)
    if (layer === undefined) report(0, 'the file lies in no layer of ARCHITECTURE.md')
    const visit = (node: ts.Node): void => {
      checkLength(source, node, report)
      const specifier = specifierOf(node)
      if (specifier !== undefined && layer !== undefined) {
        const cause = importFault(path, layer, specifier.text)
        if (cause !== undefined) report(specifier.getStart(source), cause)
      }
      const impure = layer !== undefined && pureLayers.includes(layer) ? impurity(node) : undefined
      if (impure !== undefined) report(node.getStart(source), `${impure} is not for ${layer}: ask a port`)
      ts.forEachChild(node, visit)
    }
    visit(source)
  }
  return found
    .filter(({ line }) => !/\/\/ tidy-ok: \S/.test(lines[line - 1] ?? ''))
    .map(({ line, cause }) => `${path}:${line}: ${cause}`)
}

/** Tests, conformance suites and what only they use. */
function isTestCode(path: string): boolean {
  return (
    /\.(test|test-d|testsuite|testkit)\.ts$/.test(path) ||
    /(^|\/)(test-database|store-samples|start-in-child)[a-z-]*\.ts$/.test(path) ||
    path.includes('/testing/')
  )
}

function layerOf(path: string): string | undefined {
  if (path === 'pipeline.ts' || path === 'predictor.ts') return 'pipeline'
  if (path === 'bin.ts') return 'live'
  if (entries.includes(path)) return 'entry'
  const [folder = ''] = path.split('/')
  return path.includes('/') && folder in mayImport ? folder : undefined
}

function importFault(path: string, layer: string, specifier: string): string | undefined {
  if (!specifier.startsWith('.')) return packageFault(layer, specifier)
  const target = posix.join(posix.dirname(path), specifier)
  // The package's own version and name are data; nothing is computed from them.
  if (target === '../package.json' && layer === 'live') return undefined
  if (layer === 'entry') return target.startsWith('..') ? `imports ${target}, outside src` : undefined
  const targetLayer = target.startsWith('..') ? undefined : layerOf(target)
  if (targetLayer === undefined || !mayImport[layer]?.includes(targetLayer)) {
    return `${layer} may not import ${target}: against the arrows`
  }
  const [, own] = path.split('/')
  const [, other] = target.split('/')
  if (separated.includes(layer) && targetLayer === layer && own !== other) {
    return `${layer}/${own} may not import ${target}: ${layer} do not know each other`
  }
  return undefined
}

function packageFault(layer: string, specifier: string): string | undefined {
  if (specifier === '@crunch/coordinator-node' || specifier.startsWith('@crunch/coordinator-node/')) {
    return `imports ${specifier}, its own package: import the file`
  }
  if (!pureLayers.includes(layer) || purePackages.includes(specifier)) return undefined
  const kind = isBuiltin(specifier) ? 'a module of Node' : 'a package that is not known to be pure'
  return `${layer} may not import ${specifier}, ${kind}`
}

/** The module that a node names: import, export from, import(), and import('...') as a type. */
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

function impurity(node: ts.Node): string | undefined {
  if (ts.isPropertyAccessExpression(node) && impureMembers.includes(node.getText())) return node.getText()
  if (ts.isNewExpression(node) && node.expression.getText() === 'Date' && (node.arguments ?? []).length === 0) {
    return 'new Date() without an argument'
  }
  if (ts.isCallExpression(node) && node.expression.getText() === 'Date') return 'Date()'
  return ts.isIdentifier(node) && impureNames.includes(node.text) && isReference(node) ? node.text : undefined
}

/** Whether a name stands for a value here, not for a key, a member of something else, or a parameter. */
function isReference(node: ts.Identifier): boolean {
  const { parent } = node
  if (ts.isPropertyAccessExpression(parent)) return parent.expression === node
  if (ts.isImportSpecifier(parent)) return true
  return !('name' in parent && parent.name === node && !ts.isShorthandPropertyAssignment(parent))
}

function checkLength(source: ts.SourceFile, node: ts.Node, report: (position: number, cause: string) => void): void {
  if (!ts.isFunctionLike(node) || !('body' in node) || node.body === undefined) return
  const start = node.getStart(source)
  const first = source.getLineAndCharacterOfPosition(start).line
  const lineCount = source.getLineAndCharacterOfPosition(node.end).line - first + 1
  if (lineCount > functionLimit) {
    const name = node.name?.getText(source) ?? 'a function'
    report(start, `${name} has ${lineCount} lines, at most ${functionLimit} are allowed`)
  }
}
