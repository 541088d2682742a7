import { existsSync } from 'node:fs'
import { chmod, mkdir, mkdtemp, realpath, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { execa } from 'execa'
import { packPackages } from './packed-packages.ts'
import { repositoryRoot } from './repository.ts'

/** A workspace as users get it: scaffolded by the built create-crunch, installed from the packed packages. */
export interface UserWorkspace {
  readonly directory: string
  /** The installed `crunch` program. */
  readonly crunch: string
  remove(): Promise<void>
}

export type Pack = 'weather' | 'realtime'

export interface WorkspaceOptions {
  /** Called with a short description of each step. */
  readonly onStep?: (step: string) => void
  /** The folder to create it in; default: a temporary one. Packages already packed there are reused. */
  readonly parent?: string
  /** The `node_modules` of another workspace, used as the starting point of the installation. */
  readonly installed?: string
}

/** Creates a workspace in a temporary folder outside the repository. */
export async function createUserWorkspace(
  pack: Pack,
  name: string,
  { onStep = () => {}, parent, installed }: WorkspaceOptions = {},
): Promise<UserWorkspace> {
  const folder = parent ?? (await mkdtemp(join(tmpdir(), 'crunch-workspace-')))
  // As root, PostgreSQL runs as another user, who needs access to its data.
  await chmod(folder, 0o755)
  const tarballs = join(folder, 'packages')
  const directory = join(folder, name)
  const remove = async () => {
    await removeDatabases(directory)
    await rm(parent === undefined ? folder : directory, { recursive: true, force: true, maxRetries: 5 })
  }
  try {
    if (!existsSync(tarballs)) {
      onStep('packing the packages')
      await mkdir(tarballs)
      await packPackages(tarballs)
    }
    onStep(`scaffolding a ${pack} workspace`)
    const scaffolder = join(repositoryRoot, 'packages/create-crunch/dist/bin.js')
    const flags = ['--pack', pack, '--directory', directory, '--yes', '--local-packages', tarballs]
    await execa(process.execPath, [scaffolder, name, ...flags])
    onStep('installing it')
    if (installed !== undefined) await linkFolder(installed, join(directory, 'node_modules'))
    const quiet = ['--prefer-offline', '--no-audit', '--no-fund', '--loglevel=error']
    await execa('npm', ['install', ...quiet], { cwd: directory })
  } catch (error) {
    await remove()
    throw error
  }
  return { directory, crunch: join(directory, 'node_modules/.bin/crunch'), remove }
}

/** Uses a workspace, says where it is, and removes it at the end, unless `keep` is set. */
export async function useWorkspace<Result>(
  workspace: Pick<UserWorkspace, 'directory' | 'remove'>,
  { keep, log }: { readonly keep: boolean; readonly log: (text: string) => void },
  use: () => Promise<Result>,
): Promise<Result> {
  log(`- it runs in ${workspace.directory}${keep ? '' : ', which is removed at the end; --keep keeps it'}`)
  try {
    return await use()
  } finally {
    if (keep) log(`Kept: ${workspace.directory}. Continue there with: npx crunch deploy --replay`)
    else await workspace.remove()
  }
}

/** Copies a folder with hard links, for folders in which files are added and replaced but never modified. */
export async function linkFolder(from: string, to: string): Promise<void> {
  // Only GNU cp can create links.
  await execa('cp', [process.platform === 'linux' ? '-al' : '-a', from, to])
}

/** As root, the data of an embedded server is outside the workspace, behind a link, and must be removed separately. */
export async function removeDatabases(directory: string): Promise<void> {
  for (const name of ['postgres', 'replay-postgres']) {
    const link = join(directory, 'node/.crunch', name, 'data')
    if (existsSync(link)) await rm(await realpath(link), { recursive: true, force: true, maxRetries: 5 })
  }
}
