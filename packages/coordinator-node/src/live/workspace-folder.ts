import { existsSync, readFileSync, realpathSync } from 'node:fs'
import { dirname, join } from 'node:path'

/**
 * The folder with all packages of the author: the nearest one above the contract whose `package.json` lists workspaces, or that
 * has a `pnpm-workspace.yaml`; if there is none, the parent of the contract's folder.
 */
export function findWorkspaceFolder(contractPath: string): string {
  const nodeFolder = dirname(realpathSync(contractPath))
  for (let folder = nodeFolder; folder !== dirname(folder); folder = dirname(folder)) {
    if (existsSync(join(folder, 'pnpm-workspace.yaml')) || listsWorkspaces(join(folder, 'package.json'))) return folder
  }
  return dirname(nodeFolder)
}

function listsWorkspaces(path: string): boolean {
  if (!existsSync(path)) return false
  try {
    const content: unknown = JSON.parse(readFileSync(path, 'utf8'))
    return typeof content === 'object' && content !== null && 'workspaces' in content
  } catch {
    // Package managers report broken files; here a place is only shown with other folders.
    return false
  }
}
