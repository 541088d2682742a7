import { copyFile, lstat, mkdir, readdir, readlink, realpath, symlink } from 'node:fs/promises'
import { dirname, join, relative, sep } from 'node:path'
import { errorText } from '@crunch/local-processes/errors'
import { OrchestratorError } from '../errors.ts'

/** Limits of one submission. */
export interface SubmissionLimits {
  readonly bytes: number
  readonly files: number
}

export const SUBMISSION_LIMITS: SubmissionLimits = { bytes: 100 * 1024 * 1024, files: 10_000 }

/** Not copied: recreated where the model runs, or useless there. */
export const LEFT_OUT = new Set(['node_modules', '.git', '__pycache__', '.venv'])
const MAX_DEPTH = 64

type CopyStep =
  | { readonly kind: 'folder'; readonly path: string }
  | { readonly kind: 'file'; readonly path: string }
  | { readonly kind: 'link'; readonly path: string; readonly target: string }

/** The steps that copy a folder, in order. */
export interface CopyPlan {
  readonly source: string
  readonly steps: readonly CopyStep[]
}

/**
 * Plans a copy without copying anything. Throws `SUBMISSION_REFUSED` if the folder exceeds the limits or contains anything but
 * files, folders and links that stay inside it.
 */
export async function planCopy(source: string, limits: SubmissionLimits = SUBMISSION_LIMITS): Promise<CopyPlan> {
  const root = await realpath(source)
  const steps: CopyStep[] = []
  const used = { bytes: 0, files: 0 }
  const visit = async (folder: string, depth: number): Promise<void> => {
    if (depth > MAX_DEPTH) throw refused(join(root, folder), `its folders nest deeper than ${MAX_DEPTH}`)
    for (const name of (await readdir(join(root, folder))).sort()) {
      if (LEFT_OUT.has(name)) continue
      const path = join(folder, name)
      const found = await lstat(join(root, path))
      used.files += 1
      if (found.isFile()) used.bytes += found.size
      if (used.files > limits.files) throw refused(source, `it has more than ${limits.files} files`)
      if (used.bytes > limits.bytes) throw refused(source, `it has more than ${limits.bytes} bytes`)
      if (found.isFile()) steps.push({ kind: 'file', path })
      else if (found.isSymbolicLink()) steps.push({ kind: 'link', path, target: await linkTarget(root, path) })
      else if (found.isDirectory()) {
        steps.push({ kind: 'folder', path })
        await visit(path, depth + 1)
      } else throw refused(join(root, path), 'it is neither a file nor a folder nor a link; remove it')
    }
  }
  await visit('', 0)
  return { source: root, steps }
}

/** Carries out a plan; `target` must be an empty folder. */
export async function copyPlanned(plan: CopyPlan, target: string): Promise<void> {
  for (const step of plan.steps) {
    const to = join(target, step.path)
    if (step.kind === 'folder') await mkdir(to)
    else if (step.kind === 'file') await copyFile(join(plan.source, step.path), to)
    else await symlink(step.target, to)
  }
}

/** The target relative to the link, so that the copied link stays inside the copy. */
async function linkTarget(root: string, path: string): Promise<string> {
  const at = join(root, path)
  const real = await realpath(at).catch(async (error: unknown) => {
    throw refused(at, `it is a link to ${await readlink(at)}, which cannot be opened (${errorText(error)})`)
  })
  const inside = relative(root, real)
  if (inside === '' || inside === '..' || inside.startsWith(`..${sep}`)) {
    throw refused(at, `it is a link that leaves the folder, to ${real}; copy what it points to into the folder`)
  }
  if (inside.split(sep).some((part) => LEFT_OUT.has(part))) {
    throw refused(at, `it is a link to ${real}, which is not copied; copy what it points to into the folder`)
  }
  return relative(dirname(at), real)
}

function refused(place: string, problem: string): OrchestratorError {
  const fix = problem.startsWith('it has more') ? '; leave out data that the model does not need' : ''
  return new OrchestratorError('SUBMISSION_REFUSED', `${place}: ${problem}${fix}`)
}
