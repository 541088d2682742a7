import { posix } from 'node:path'
import { type Finding, isTestCode, type SourceTree } from './source-file.ts'

const sourceFileLimit = 20

/**
 * Finds folders with too many source files for a reader to survey; test code does not count.
 * `exceptions` contains the reason for each folder that may have more.
 */
export function checkFolders(tree: SourceTree, exceptions: Readonly<Record<string, string>> = {}): Finding[] {
  const counts = new Map<string, number>()
  for (const path of tree.keys()) {
    if (!isTestCode(path)) counts.set(posix.dirname(path), (counts.get(posix.dirname(path)) ?? 0) + 1)
  }
  return [...counts]
    .filter(([folder, count]) => count > sourceFileLimit && exceptions[folder] === undefined)
    .map(([folder, count]) => ({
      path: folder,
      line: 1,
      cause: `the folder has ${count} source files, at most ${sourceFileLimit} are allowed`,
    }))
}
