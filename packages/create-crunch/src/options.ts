import { basename, resolve } from 'node:path'
import prompts from 'prompts'
import { CreateError } from './create-error.ts'
import { defaultPack, findPack, type Pack } from './packs.ts'
import { nameProblem, suggestName } from './workspace-name.ts'

export const packageManagers = ['npm', 'pnpm'] as const
export type PackageManager = (typeof packageManagers)[number]

/** The flags of the command line. */
export interface Flags {
  readonly pack?: string
  readonly directory?: string
  readonly yes?: boolean
  readonly install?: boolean
  readonly packageManager: string
  readonly localPackages?: string
}

/** All decisions, made before the first file is written. */
export interface Options {
  readonly name: string
  readonly pack: Pack
  readonly directory: string
  readonly install: boolean
  readonly packageManager: PackageManager
  readonly localPackages: string | undefined
}

/** Asks for missing flags; without a terminal, throws an error that names them. */
export async function resolveOptions(
  given: string | undefined,
  givenFlags: Flags,
  packs: readonly Pack[],
  interactive: boolean,
): Promise<Options> {
  const { name, flags } = readPath(given, givenFlags)
  const packageManager = packageManagers.find((known) => known === flags.packageManager)
  if (packageManager === undefined) {
    throw new CreateError(`--package-manager takes ${packageManagers.join(' or ')}, not "${flags.packageManager}".`)
  }
  if (name !== undefined) checkName(name)
  if (flags.pack !== undefined) findPack(packs, flags.pack)
  if (!interactive) refuseMissing(name, flags, packs)
  const asked = interactive ? await ask(name, flags, packs) : {}
  const chosen = name ?? asked.name
  if (chosen === undefined) throw new CreateError('Name the workspace: create-crunch my-challenge')
  return {
    name: chosen,
    pack: findPack(packs, flags.pack ?? asked.pack ?? defaultPack),
    directory: resolve(flags.directory ?? chosen),
    install: flags.install ?? asked.install ?? false,
    packageManager,
    localPackages: flags.localPackages,
  }
}

/** A path as the name, such as `.`, means the folder at that path and its name. */
function readPath(
  name: string | undefined,
  flags: Flags,
): { readonly name: string | undefined; readonly flags: Flags } {
  const isPath = name !== undefined && (/^\.{1,2}$/.test(name) || /^[^@].*[/\\]|^\//.test(name))
  if (!isPath) return { name, flags }
  if (flags.directory !== undefined) {
    throw new CreateError(`"${name}" is a folder, and --directory names one too: remove one of them.`)
  }
  const directory = resolve(name)
  const folder = basename(directory)
  if (nameProblem(folder) === undefined) return { name: folder, flags: { ...flags, directory } }
  const suggestion = suggestName(folder) ?? 'my-challenge'
  throw new CreateError(
    `The folder "${folder}" cannot name a workspace; name it yourself: create-crunch ${suggestion} --directory ${JSON.stringify(name)}`,
  )
}

function checkName(name: string): void {
  const problem = nameProblem(name)
  if (problem !== undefined) throw new CreateError(`"${name}" cannot name a workspace: ${problem}.`)
}

function refuseMissing(name: string | undefined, flags: Flags, packs: readonly Pack[]): void {
  const missing: string[] = []
  if (name === undefined) missing.push('the name: create-crunch my-challenge')
  if (flags.pack === undefined && flags.yes !== true) {
    missing.push(`--pack ${packs.map((pack) => pack.name).join('|')} (or --yes for ${defaultPack})`)
  }
  if (missing.length === 0) return
  const lines = missing.map((what) => `  - ${what}`).join('\n')
  throw new CreateError(`There is no terminal for questions, or --yes was given. Missing:\n${lines}`)
}

interface Answers {
  readonly name?: string
  readonly pack?: string
  readonly install?: boolean
}

async function ask(name: string | undefined, flags: Flags, packs: readonly Pack[]): Promise<Answers> {
  return prompts(
    [
      {
        type: name === undefined ? 'text' : null,
        name: 'name',
        message: 'Name of the competition',
        initial: 'my-challenge',
        validate: (text: string) => nameProblem(text) ?? true,
      },
      {
        type: flags.pack === undefined ? 'select' : null,
        name: 'pack',
        message: 'Kind of competition',
        choices: packs.map((pack) => ({ title: pack.title, description: pack.description, value: pack.name })),
      },
      {
        type: flags.install === undefined ? 'confirm' : null,
        name: 'install',
        message: `Install with ${flags.packageManager} now?`,
        initial: true,
      },
    ],
    {
      onCancel: () => {
        throw new CreateError('Cancelled: nothing was created.')
      },
    },
  ) as Promise<Answers>
}
