import { rmSync } from 'node:fs'
import { join } from 'node:path'
import { errorText } from '@crunch/local-processes/errors'
import { copyFiles } from './copy-files.ts'
import { CreateError } from './create-error.ts'
import { install } from './install.ts'
import { linkPackages } from './link-packages.ts'
import type { Options } from './options.ts'
import { localSources, type PackageSources, registrySources } from './package-sources.ts'
import { openWorkspaceFolder } from './workspace-folder.ts'

/** The input of the steps. */
interface Context {
  readonly options: Options
  readonly templates: string
  readonly sources: PackageSources
  readonly signal: AbortSignal
}

interface Step {
  readonly title: string
  readonly when?: (context: Context) => boolean
  run(context: Context): void | Promise<void>
}

const steps: readonly Step[] = [
  {
    title: 'copy the base',
    run({ options, templates }) {
      copyFiles(join(templates, 'root'), options.directory, options.name)
      copyFiles(join(templates, 'node'), join(options.directory, 'node'), options.name)
      copyFiles(join(templates, 'challenge'), join(options.directory, 'challenge'), options.name)
    },
  },
  {
    title: 'apply the pack',
    run({ options }) {
      // No `force`: a path that the base does not contain is a mistake in the pack.
      for (const path of options.pack.delete) rmSync(join(options.directory, path), { recursive: true })
      copyFiles(options.pack.directory, options.directory, options.name, ['pack.json'])
    },
  },
  {
    title: 'link the packages',
    run: ({ options, sources }) => linkPackages(options.directory, sources, options.packageManager),
  },
  {
    title: 'install',
    when: ({ options }) => options.install,
    run: ({ options, signal }) => install(options.directory, options.packageManager, signal),
  },
]

/**
 * Creates a workspace. If a step fails or `signal` aborts, everything created is removed, and the error says so.
 * @param templates the folder with `root`, `node`, `challenge` and `packs`
 * @param version the version of our packages in the registry, the same as this program's
 * @param onStep called with the title of each step as it begins
 */
export async function createWorkspace(
  options: Options,
  templates: string,
  version: string,
  signal: AbortSignal,
  onStep: (title: string) => void,
): Promise<void> {
  const sources = options.localPackages === undefined ? registrySources(version) : localSources(options.localPackages)
  const folder = openWorkspaceFolder(options.directory)
  const context: Context = { options, templates, sources, signal }
  try {
    for (const step of steps) {
      if (step.when?.(context) === false) continue
      onStep(step.title)
      await step.run(context)
      if (signal.aborted) throw new CreateError('Interrupted.')
    }
  } catch (error) {
    folder.remove()
    const reason = errorText(error)
    const message = `${reason}\nEverything created in ${options.directory} has been removed.`
    throw error instanceof CreateError
      ? new CreateError(message, { cause: error })
      : new Error(message, { cause: error })
  }
}
