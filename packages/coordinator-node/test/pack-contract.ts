import { cp, mkdir, mkdtemp, realpath, rm, symlink } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { AnyContract } from '../src/contract/crunch-contract.ts'
import { loadContract } from '../src/live/load-contract.ts'

const repository = fileURLToPath(new URL('../../..', import.meta.url))
export const templates = join(repository, 'templates')

/** The packs of create-crunch, with the folder of each that holds its `node/`. */
export const packs = {
  realtime: templates,
  weather: join(templates, 'packs/weather'),
  blank: join(templates, 'packs/blank'),
}

export interface PackWorkspace {
  readonly nodeFolder: string
  readonly contract: AnyContract
  /** Everything that the package of the challenge exports. */
  readonly challenge: Readonly<Record<string, unknown>>
  remove(): Promise<void>
}

/** A workspace of a pack in a temporary folder, as create-crunch makes it, without an installation. */
export async function openPack(pack: keyof typeof packs): Promise<PackWorkspace> {
  const folder = await realpath(await mkdtemp(join(tmpdir(), `crunch-${pack}-`)))
  const filter = (path: string) => !path.includes('node_modules')
  for (const part of ['challenge', 'node']) {
    await cp(join(templates, part), join(folder, part), { recursive: true, filter })
    if (pack !== 'realtime') await cp(join(packs[pack], part), join(folder, part), { recursive: true, filter })
  }
  const modules = join(folder, 'node_modules')
  await mkdir(join(modules, '@crunch'), { recursive: true })
  await symlink(join(repository, 'packages/coordinator-node'), join(modules, '@crunch/coordinator-node'))
  await symlink(dirname(createRequire(import.meta.url).resolve('zod/package.json')), join(modules, 'zod'))
  await symlink(join(folder, 'challenge'), join(modules, 'crunch-template-challenge'))
  return {
    nodeFolder: join(folder, 'node'),
    contract: await loadContract(join(folder, 'node/contract.ts')),
    challenge: await import(join(folder, 'challenge/src/index.ts')),
    remove: () => rm(folder, { recursive: true, force: true, maxRetries: 5 }),
  }
}
