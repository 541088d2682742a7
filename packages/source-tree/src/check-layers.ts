import { isBuiltin } from 'node:module'
import ts from 'typescript'
import { type Finding, isTestCode, lineOf, resolveSpecifier, type SourceTree, specifiersIn } from './source-file.ts'

/** The layers that each layer may import: the dependency rule of ARCHITECTURE.md. */
const mayImport: Readonly<Record<string, readonly string[]>> = {
  domain: ['domain'],
  ports: ['ports', 'domain'],
  contract: ['contract', 'ports', 'domain'],
  stages: ['stages', 'contract', 'ports', 'domain'],
  pipeline: ['pipeline', 'stages', 'contract', 'ports', 'domain'],
  adapters: ['adapters', 'ports', 'domain'],
  report: ['report', 'ports', 'domain'],
  recording: ['recording', 'adapters', 'pipeline', 'contract', 'ports', 'domain'],
  simulation: ['simulation', 'recording', 'adapters', 'pipeline', 'contract', 'ports', 'domain'],
  live: ['live', 'recording', 'report', 'adapters', 'pipeline', 'stages', 'contract', 'ports', 'domain'],
}

/** Folders whose subfolders must not import each other. */
const separated = ['stages', 'adapters']

const entries = ['index.ts', 'workers.ts', 'feeds.ts', 'scoring.ts', 'testing.ts', 'client.ts', 'internal.ts']

const pureLayers = ['domain', 'ports', 'contract', 'stages', 'pipeline']
/** Packages without side effects. `node:crypto` is allowed for hashes; `randomUUID` is found by its name. */
const purePackages = [
  '@crunch/local-processes/errors',
  'zod',
  'fastest-levenshtein',
  'canonicalize',
  'decimal.js',
  'simple-statistics',
  'node:crypto',
]
const impureNames = [
  ...['setTimeout', 'setInterval', 'setImmediate', 'randomUUID', 'randomBytes', 'getRandomValues'],
  ...['process', 'console', 'performance', 'fetch', 'require'],
]
const impureMembers = ['Date.now', 'Math.random', 'globalThis.process', 'globalThis.console']

/** Checks the dependency rule of ARCHITECTURE.md between the engine's layers, and that its pure layers have no side effects. */
export function checkLayers(tree: SourceTree): Finding[] {
  const sources = [...tree].filter(([path]) => !isTestCode(path)).map(([, source]) => source)
  return [...sources.flatMap(checkFile), ...strandedStages(sources)]
}

/** Finds files of `stages/` that only drivers of the pipeline import: they do not belong to a stage. */
function strandedStages(sources: readonly ts.SourceFile[]): Finding[] {
  const importers = new Map<string, string[]>()
  for (const source of sources) {
    const path = source.fileName
    for (const specifier of specifiersIn(source)) {
      if (!specifier.text.startsWith('.')) continue
      const target = resolveSpecifier(path, specifier.text)
      importers.set(target, [...(importers.get(target) ?? []), layerOf(path) ?? path])
    }
  }
  return sources.flatMap(({ fileName: path }) => {
    const layers = [...new Set(importers.get(path))]
    if (layerOf(path) !== 'stages' || layers.length === 0 || layers.some((layer) => pureLayers.includes(layer)))
      return []
    return [{ path, line: 1, cause: `only ${layers.join(' and ')} imports this file: move it there` }]
  })
}

function checkFile(source: ts.SourceFile): Finding[] {
  const path = source.fileName
  const layer = layerOf(path)
  if (layer === undefined) return [{ path, line: 1, cause: 'the file is in no layer of ARCHITECTURE.md' }]
  const faultyImports = specifiersIn(source).flatMap((specifier) => {
    const cause = importFault(path, layer, specifier.text)
    return cause === undefined ? [] : [{ path, line: lineOf(source, specifier), cause }]
  })
  return pureLayers.includes(layer) ? [...faultyImports, ...impurities(source, layer)] : faultyImports
}

function impurities(source: ts.SourceFile, layer: string): Finding[] {
  const found: Finding[] = []
  const visit = (node: ts.Node): void => {
    const impure = impurity(node)
    if (impure !== undefined) {
      found.push({
        path: source.fileName,
        line: lineOf(source, node),
        cause: `${layer} must not use ${impure}: use a port`,
      })
    }
    ts.forEachChild(node, visit)
  }
  visit(source)
  return found
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
  const target = resolveSpecifier(path, specifier)
  // The package's version and name are only data.
  if (target === '../package.json' && layer === 'live') return undefined
  if (layer === 'entry') return target.startsWith('..') ? `imports ${target}, outside src` : undefined
  const targetLayer = target.startsWith('..') ? undefined : layerOf(target)
  if (targetLayer === undefined || !mayImport[layer]?.includes(targetLayer)) {
    return `${layer} may not import ${target}: against the dependency rule`
  }
  if (layer === 'stages' && target === 'ports/store.ts') {
    return `stages may not import ${target}: import only the groups of the store that the step needs`
  }
  const [, own] = path.split('/')
  const [, other] = target.split('/')
  if (separated.includes(layer) && targetLayer === layer && own !== other) {
    return `${layer}/${own} may not import ${target}: ${layer} must not import each other`
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

function impurity(node: ts.Node): string | undefined {
  if (ts.isPropertyAccessExpression(node) && impureMembers.includes(node.getText())) return node.getText()
  if (ts.isNewExpression(node) && node.expression.getText() === 'Date' && (node.arguments ?? []).length === 0) {
    return 'new Date() without an argument'
  }
  if (ts.isCallExpression(node) && node.expression.getText() === 'Date') return 'Date()'
  return ts.isIdentifier(node) && impureNames.includes(node.text) && isReference(node) ? node.text : undefined
}

/** Whether a name refers to a value here, and is not a key, a member or a parameter. */
function isReference(node: ts.Identifier): boolean {
  const { parent } = node
  if (ts.isPropertyAccessExpression(parent)) return parent.expression === node
  if (ts.isImportSpecifier(parent)) return true
  return !('name' in parent && parent.name === node && !ts.isShorthandPropertyAssignment(parent))
}
