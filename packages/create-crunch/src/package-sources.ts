import { readdirSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { CreateError } from './create-error.ts'

/** Where npm finds our packages: the specifier of each, and those that the workspace's root must list besides. */
export interface PackageSources {
  specifier(packageName: string): string
  /** Packages that only others of ours depend on; listed at the root, plain npm finds them for nested ones too. */
  readonly atRoot: Readonly<Record<string, string>>
}

/** The registry, at the version that this program was released with. */
export function registrySources(version: string): PackageSources {
  return { specifier: () => `^${version}`, atRoot: {} }
}

const tarballPattern = /^crunch-([a-z-]+)-\d+\.\d+\.\d+.*\.tgz$/

/** Packed tarballs of a folder, `crunch-<package>-<version>.tgz` as `pnpm pack` names them. */
export function localSources(directory: string): PackageSources {
  const folder = resolve(directory)
  const found = new Map<string, string>()
  for (const file of readTarballs(folder)) {
    const short = tarballPattern.exec(file)?.[1]
    if (short === undefined) continue
    const name = `@crunch/${short}`
    if (found.has(name)) {
      throw new CreateError(`${folder} holds more than one version of ${name}: keep one, for --local-packages.`)
    }
    found.set(name, `file:${join(folder, file)}`)
  }
  if (found.size === 0) {
    throw new CreateError(`${folder} holds no crunch-*.tgz: pack the packages into it first, for --local-packages.`)
  }
  return {
    atRoot: Object.fromEntries(found),
    specifier(packageName) {
      const specifier = found.get(packageName)
      if (specifier !== undefined) return specifier
      throw new CreateError(`${folder} holds no tarball of ${packageName}: pack it too, for --local-packages.`)
    },
  }
}

function readTarballs(folder: string): string[] {
  try {
    return readdirSync(folder).sort()
  } catch (error) {
    throw new CreateError(`${folder} cannot be read: name an existing folder for --local-packages.`, { cause: error })
  }
}
