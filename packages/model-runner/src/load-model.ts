import { existsSync, readFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { ExpectedError } from '@crunch/local-processes/errors'
import { importTypeScript, type LoadedModule, ModuleLoadError } from './load-module.ts'

/** In order of precedence: a compiled main.js may exist beside its main.ts. */
const ENTRY_NAMES = ['main.ts', 'main.js', 'main.mjs']

/** The participant's code cannot be used; sent as the status BAD_IMPLEMENTATION. */
export class BadImplementationError extends ExpectedError {
  override readonly name = 'BadImplementationError'
  readonly code = 'BAD_IMPLEMENTATION'
}

/** A participant's class; the competition's base class defines its arguments. */
export type ModelClass = new (...values: readonly unknown[]) => object

/**
 * Loads the entry of a submission (`main.ts`, `main.js`, `main.mjs`, the package's `main`, or `mainFile`) and returns the
 * exported class that extends the base class, preferring `default`, then the first by name. The last segment of
 * `baseClassName` names the base class, e.g. `TrackerBase` in `tracker.TrackerBase`.
 *
 * Throws `BadImplementationError`; its `cause` is the error of the participant's code, if there was one.
 */
export async function loadModelClass(directory: string, baseClassName: string, mainFile?: string): Promise<ModelClass> {
  const nothingFound = `No Inherited class found from <class '${baseClassName}'>.`
  let loaded: LoadedModule
  try {
    loaded = await importTypeScript(findEntry(directory, mainFile))
  } catch (error) {
    if (!(error instanceof ModuleLoadError || error instanceof BadImplementationError)) throw error
    // The deployed runner sends only this sentence; this runner appends the cause for the participant.
    throw new BadImplementationError(`${nothingFound} ${error.message}`, { cause: error.cause ?? error })
  }
  const baseName = baseClassName.slice(baseClassName.lastIndexOf('.') + 1)
  // An empty name would match every class, since Function.prototype has an empty name.
  const found = baseName === '' ? undefined : listExports(loaded).find((value) => extendsNamed(value, baseName))
  if (found === undefined) throw new BadImplementationError(nothingFound)
  return found as ModelClass
}

function findEntry(directory: string, mainFile: string | undefined): string {
  if (mainFile !== undefined) return resolve(directory, mainFile)
  const entry = ENTRY_NAMES.map((name) => join(directory, name)).find((file) => existsSync(file))
  if (entry !== undefined) return entry
  const main = readPackageMain(join(directory, 'package.json'))
  if (main !== undefined) return resolve(directory, main)
  throw new BadImplementationError(
    `${directory} has no ${ENTRY_NAMES.join(', ')} and no package.json with "main": add a main.ts that exports the model`,
  )
}

function readPackageMain(file: string): string | undefined {
  if (!existsSync(file)) return undefined
  let manifest: unknown
  try {
    manifest = JSON.parse(readFileSync(file, 'utf8'))
  } catch (error) {
    throw new BadImplementationError(`${file} is not valid JSON`, { cause: error })
  }
  if (typeof manifest !== 'object' || manifest === null || !('main' in manifest)) return undefined
  return typeof manifest.main === 'string' ? manifest.main : undefined
}

/** The exported values, the default first; a CommonJS module's exports are the properties of its default. */
function listExports(loaded: LoadedModule): unknown[] {
  const { default: first, ...named } = loaded
  const nested = typeof first === 'object' && first !== null ? { ...first } : {}
  const byName = Object.entries({ ...nested, ...named }).sort(([left], [right]) => (left < right ? -1 : 1))
  return [first, ...byName.map(([, value]) => value)]
}

/** Compares names, because the participant's base class and the node's may be two copies of one file. */
function extendsNamed(candidate: unknown, baseName: string): boolean {
  if (typeof candidate !== 'function') return false
  let ancestor: unknown = Object.getPrototypeOf(candidate)
  while (typeof ancestor === 'function') {
    if (ancestor.name === baseName) return true
    ancestor = Object.getPrototypeOf(ancestor)
  }
  return false
}
