import { existsSync } from 'node:fs'
import { chmod, mkdir, mkdtemp, realpath, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { execa } from 'execa'
import { packPackages } from './packed-packages.ts'
import { repositoryRoot } from './repository.ts'

/** A workspace as a user gets it: scaffolded by the built create-crunch, installed from the packed packages. */
export interface UserWorkspace {
  readonly directory: string
  /** The installed `crunch` program. */
  readonly crunch: string
  remove(): Promise<void>
}

export type Pack = 'weather' | 'realtime'

export interface WorkspaceOptions {
  /** Told what is being done, in a few words. */
  readonly onStep?: (step: string) => void
  /** The folder to make it in, instead of one of its own; the packages that are packed there are used again. */
  readonly parent?: string
  /** The `node_modules` of another workspace, whose files the installation starts from. */
  readonly installed?: string
}

/** Makes a workspace in a temporary folder outside the repository. */
export async function createUserWorkspace(
  pack: Pack,
  name: string,
  { onStep = () => {}, parent, installed }: WorkspaceOptions = {},
): Promise<UserWorkspace> {
  const folder = parent ?? (await mkdtemp(join(tmpdir(), 'crunch-workspace-')))
  // As root, PostgreSQL runs as another user, who has to reach its data.
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

/** A copy that shares the files, for folders in which files are added and replaced, but never written to. */
export async function linkFolder(from: string, to: string): Promise<void> {
  // Only GNU's cp knows links.
  await execa('cp', [process.platform === 'linux' ? '-al' : '-a', from, to])
}

/** As root, the data of an embedded server lie elsewhere, behind a link: they would outlive the workspace. */
export async function removeDatabases(directory: string): Promise<void> {
  for (const name of ['postgres', 'replay-postgres']) {
    const link = join(directory, 'node/.crunch', name, 'data')
    if (existsSync(link)) await rm(await realpath(link), { recursive: true, force: true, maxRetries: 5 })
  }
}
