import { existsSync, mkdirSync, readdirSync, rmSync, statSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { CreateError } from './create-error.ts'

/** The folder that a workspace is made in, and how to take back what was made. */
export interface WorkspaceFolder {
  readonly path: string
  /** Removes what was made since it was opened: never a folder or file that was there before. */
  remove(): void
}

/** What a clone of an empty repository holds, and what stays when everything else is removed. */
const ofRepository = '.git'

/** Makes the folder and its parents, or takes one that is empty or holds only `.git`; any other one is refused. */
export function openWorkspaceFolder(path: string): WorkspaceFolder {
  if (existsSync(path)) {
    if (!statSync(path).isDirectory()) {
      throw new CreateError(`${path} is a file: choose another folder with --directory.`)
    }
    const found = readdirSync(path).find((entry) => entry !== ofRepository)
    if (found !== undefined) {
      throw new CreateError(`${path} is not empty (it holds ${found}): choose another folder with --directory.`)
    }
    return { path, remove: () => emptyFolder(path) }
  }
  const topmost = highestMissing(path)
  try {
    mkdirSync(path, { recursive: true })
  } catch (error) {
    throw new CreateError(`${path} cannot be made: ${(error as Error).message}`, { cause: error })
  }
  return { path, remove: () => removeUpTo(path, topmost) }
}

/** It was empty when it was opened, so all that it holds but the repository is ours. */
function emptyFolder(path: string): void {
  for (const entry of readdirSync(path).filter((name) => name !== ofRepository))
    rmSync(join(path, entry), { recursive: true, force: true })
}

function highestMissing(path: string): string {
  const parent = dirname(path)
  return existsSync(parent) ? path : highestMissing(parent)
}

/** Parents that were made on the way go too, unless someone else has put something there meanwhile. */
function removeUpTo(path: string, topmost: string): void {
  rmSync(path, { recursive: true, force: true })
  for (let folder = path; folder !== topmost; ) {
    folder = dirname(folder)
    if (readdirSync(folder).length > 0) return
    rmSync(folder, { recursive: true })
  }
}
