import { existsSync, mkdirSync, readdirSync, rmSync, statSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { CreateError } from './create-error.ts'

/** The folder of a new workspace, and how to undo its creation. */
export interface WorkspaceFolder {
  readonly path: string
  /** Removes everything created since it was opened, but no folder or file that existed before. */
  remove(): void
}

/** The only content of a clone of an empty repository; it is never removed. */
const ofRepository = '.git'

/** Creates the folder and its parents, or accepts an existing one that is empty or contains only `.git`. */
export function openWorkspaceFolder(path: string): WorkspaceFolder {
  if (existsSync(path)) {
    if (!statSync(path).isDirectory()) {
      throw new CreateError(`${path} is a file: choose another folder with --directory.`)
    }
    const found = readdirSync(path).find((entry) => entry !== ofRepository)
    if (found !== undefined) {
      throw new CreateError(`${path} is not empty (it contains ${found}): choose another folder with --directory.`)
    }
    return { path, remove: () => emptyFolder(path) }
  }
  const topmost = highestMissing(path)
  try {
    mkdirSync(path, { recursive: true })
  } catch (error) {
    throw new CreateError(`${path} cannot be created: ${(error as Error).message}`, { cause: error })
  }
  return { path, remove: () => removeUpTo(path, topmost) }
}

/** The folder was empty when it was opened, so everything in it except the repository was created since. */
function emptyFolder(path: string): void {
  for (const entry of readdirSync(path).filter((name) => name !== ofRepository))
    rmSync(join(path, entry), { recursive: true, force: true })
}

function highestMissing(path: string): string {
  const parent = dirname(path)
  return existsSync(parent) ? path : highestMissing(parent)
}

/** Also removes parents that were created, unless they contain other files meanwhile. */
function removeUpTo(path: string, topmost: string): void {
  rmSync(path, { recursive: true, force: true })
  for (let folder = path; folder !== topmost; ) {
    folder = dirname(folder)
    if (readdirSync(folder).length > 0) return
    rmSync(folder, { recursive: true })
  }
}
