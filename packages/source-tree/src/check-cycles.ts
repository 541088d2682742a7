import { type Finding, isTestCode, lineOf, resolveSpecifier, type SourceTree, specifiersIn } from './source-file.ts'

/** An import of one file, or of one folder, by another. */
interface Edge {
  readonly from: string
  readonly to: string
  readonly path: string
  readonly line: number
}

/**
 * Finds imports, including type imports, that are part of a cycle between files or between the top-level folders of
 * `src/`. A cycle of folders is reported once, at one of its imports.
 */
export function checkCycles(tree: SourceTree): Finding[] {
  const edges = importsOf(tree)
  const folderEdges = edges
    .map((edge) => ({ ...edge, from: topFolder(edge.from), to: topFolder(edge.to) }))
    .filter(({ from, to }) => from !== to && from !== '' && to !== '')
  return [...cyclesIn(edges), ...cyclesIn(folderEdges)].map(({ path, line, names }) => ({
    path,
    line,
    cause: `the import closes a cycle: ${names.join(' → ')}`,
  }))
}

function importsOf(tree: SourceTree): Edge[] {
  return [...tree].flatMap(([path, source]) => {
    if (isTestCode(path)) return []
    return specifiersIn(source)
      .filter(({ text: specifier }) => specifier.startsWith('.'))
      .map((specifier) => {
        const to = resolveSpecifier(path, specifier.text)
        return { from: path, to, path, line: lineOf(source, specifier) }
      })
  })
}

function topFolder(path: string): string {
  return path.includes('/') ? path.slice(0, path.indexOf('/')) : ''
}

/** The shortest cycle of each group of names that reach one another, at the import that begins it. */
function cyclesIn(edges: readonly Edge[]): { path: string; line: number; names: string[] }[] {
  const targets = new Map<string, Set<string>>()
  for (const { from, to } of edges) targets.set(from, (targets.get(from) ?? new Set()).add(to))
  const reported = new Set<string>()
  return edges.flatMap(({ from, to, path, line }) => {
    if (reported.has(from) || reported.has(to)) return []
    const back = shortestWay(targets, to, from)
    if (back === undefined) return []
    for (const name of back) reported.add(name)
    return [{ path, line, names: [from, ...back] }]
  })
}

function shortestWay(targets: ReadonlyMap<string, ReadonlySet<string>>, start: string, end: string) {
  const cameFrom = new Map<string, string | undefined>([[start, undefined]])
  for (const name of cameFrom.keys()) {
    if (name === end) return wayTo(cameFrom, end)
    for (const next of targets.get(name) ?? []) if (!cameFrom.has(next)) cameFrom.set(next, name)
  }
  return undefined
}

function wayTo(cameFrom: ReadonlyMap<string, string | undefined>, end: string): string[] {
  const way: string[] = []
  for (let name: string | undefined = end; name !== undefined; name = cameFrom.get(name)) way.unshift(name)
  return way
}
