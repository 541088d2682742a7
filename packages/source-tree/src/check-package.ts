import { checkCycles } from './check-cycles.ts'
import { checkFolders } from './check-folders.ts'
import { checkLayers } from './check-layers.ts'
import { checkSizes } from './check-sizes.ts'
import type { SourceTree } from './source-file.ts'

export interface PackageRules {
  /** Folders that may have more than 20 source files, by path under `src/`, with the reason. */
  readonly largeFolders?: Readonly<Record<string, string>>
  /** Whether the package has the layers of the engine. */
  readonly layers?: boolean
}

/**
 * Checks one package. Returns findings as `path:line: cause`, ordered by path and line.
 * A line with `// tidy-ok: reason` is an exception.
 */
export function checkPackage(tree: SourceTree, { largeFolders = {}, layers = false }: PackageRules = {}): string[] {
  const findings = [
    ...checkSizes(tree),
    ...checkFolders(tree, largeFolders),
    ...checkCycles(tree),
    ...(layers ? checkLayers(tree) : []),
  ]
  return findings
    .filter(({ path, line }) => !/\/\/ tidy-ok: \S/.test(tree.get(path)?.text.split('\n')[line - 1] ?? ''))
    .sort((left, right) => (left.path === right.path ? left.line - right.line : left.path < right.path ? -1 : 1))
    .map(({ path, line, cause }) => `${path}:${line}: ${cause}`)
}
