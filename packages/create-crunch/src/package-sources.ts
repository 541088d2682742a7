import { readdirSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { CreateError } from './create-error.ts'

/** Where npm finds our packages: the specifier of each, and packages that the workspace's root must also list. */
export interface PackageSources {
  specifier(packageName: string): string
  /** Indirect dependencies among our packages; npm finds their tarballs only if the root lists them. */
  readonly atRoot: Readonly<Record<string, string>>
}

/** Packages from the registry, with the version of this program. */
export function registrySources(version: string): PackageSources {
  return { specifier: () => `^${version}`, atRoot: {} }
}

const tarballPattern = /^crunch-([a-z-]+)-\d+\.\d+\.\d+.*\.tgz$/

/** Packages from the tarballs of a folder, named `crunch-<package>-<version>.tgz` by `pnpm pack`. */
export function localSources(directory: string): PackageSources {
  const folder = resolve(directory)
  const found = new Map<string, string>()
  for (const file of readTarballs(folder)) {
    const short = tarballPattern.exec(file)?.[1]
    if (short === undefined) continue
    const name = `@crunch/${short}`
    if (found.has(name)) {
      throw new CreateError(`${folder} contains more than one version of ${name}: keep one, for --local-packages.`)
    }
    found.set(name, `file:${join(folder, file)}`)
  }
  if (found.size === 0) {
    throw new CreateError(`${folder} contains no crunch-*.tgz: pack the packages into it first, for --local-packages.`)
  }
  return {
    atRoot: Object.fromEntries(found),
    specifier(packageName) {
      const specifier = found.get(packageName)
      if (specifier !== undefined) return specifier
      throw new CreateError(`${folder} contains no tarball of ${packageName}: pack it too, for --local-packages.`)
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
