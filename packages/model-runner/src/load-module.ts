import { execFile } from 'node:child_process'
import { statSync } from 'node:fs'
import * as nodeModule from 'node:module'
import { resolve as resolvePath } from 'node:path'
import { pathToFileURL } from 'node:url'
import { ExpectedError } from '@crunch/local-processes/errors'
import { register } from 'tsx/esm/api'

/** The exports of a module by name. */
export type LoadedModule = Readonly<Record<string, unknown>>

/** A file is absent, is not valid code, imports something that is absent, or threw while it ran. */
export type ModuleLoadErrorCode = 'FILE_NOT_FOUND' | 'SYNTAX_ERROR' | 'IMPORT_NOT_FOUND' | 'MODULE_THREW'

/** Why a file could not be loaded; `cause` is the original error, with the author's own stack. */
export class ModuleLoadError extends ExpectedError {
  override readonly name = 'ModuleLoadError'
  readonly code: ModuleLoadErrorCode
  readonly path: string

  constructor(code: ModuleLoadErrorCode, path: string, message: string, cause?: unknown) {
    super(message, { cause })
    this.code = code
    this.path = path
  }
}

/**
 * Imports a .ts, .js, .mjs or .cjs file as it is, without a build. What the file imports from packages is the same module
 * instance that this process uses, and stacks show the lines of the file as written. TypeScript is always an ES module,
 * whatever the nearest package.json says or fails to say.
 *
 * Throws `ModuleLoadError`.
 */
export async function importTypeScript(path: string): Promise<LoadedModule> {
  const file = resolvePath(path)
  if (!statSync(file, { throwIfNoEntry: false })?.isFile()) {
    throw new ModuleLoadError('FILE_NOT_FOUND', file, `${file} does not exist or is not a file: check the path`)
  }
  registerTypeScript()
  try {
    return await import(pathToFileURL(file).href)
  } catch (error) {
    throw await explain(file, error)
  }
}

const CHECK_TIMEOUT_MS = 5_000

let registered = false

/** Hooks can't be taken back without racing imports, so one registration lasts as long as the process. */
function registerTypeScript(): void {
  if (registered) return
  registered = true
  register()
  const { registerHooks } = nodeModule as unknown as { registerHooks?: (hooks: SyncHooks) => void }
  if (registerHooks !== undefined)
    registerHooks({ resolve: (specifier, context, next) => fixFormat(next(specifier, context)) })
  else nodeModule.register(`data:text/javascript,${encodeURIComponent(HOOKS)}`, { data: { compiler: compilerUrl() } })
}

/** The esbuild that tsx compiles with. */
function compilerUrl(): string {
  const tsx = nodeModule.createRequire(import.meta.url).resolve('tsx')
  return pathToFileURL(nodeModule.createRequire(tsx).resolve('esbuild')).href
}

interface Resolved {
  readonly url: string
  readonly format?: string | null | undefined
}

/** The synchronous hooks of newer Node releases, which the types of Node 20 do not know. */
interface SyncHooks {
  resolve(specifier: string, context: unknown, next: (specifier: string, context: unknown) => Resolved): Resolved
}

/**
 * A folder without package.json makes Node take its files for CommonJS, on which `import` fails. A participant's folder
 * often has none, so TypeScript is declared a module here and JavaScript is left for Node to detect by its syntax.
 */
function fixFormat(found: Resolved): Resolved {
  if (found.format !== 'commonjs' || !found.url.startsWith('file:') || found.url.includes('/node_modules/'))
    return found
  if (/\.tsx?(?:[?#].*)?$/.test(found.url)) return { ...found, format: 'module' }
  return /\.js(?:[?#].*)?$/.test(found.url) ? { ...found, format: undefined } : found
}

/**
 * For older Node releases, which run hooks in a thread that cannot load TypeScript: `fixFormat` as text. There, esbuild keeps
 * a process of 15 MB for the next file. It is ended when nothing has been loaded for a while, and starts again when needed.
 */
const HOOKS = String.raw`
let compiler, loading = 0, idle
export async function initialize(data) {
  compiler = (await import(data.compiler)).default
}
export async function load(url, context, next) {
  clearTimeout(idle)
  loading += 1
  try {
    return await next(url, context)
  } finally {
    loading -= 1
    if (loading === 0) idle = setTimeout(() => compiler.stop(), 500).unref()
  }
}
export async function resolve(specifier, context, next) {
  const found = await next(specifier, context)
  if (found.format !== 'commonjs' || !found.url.startsWith('file:') || found.url.includes('/node_modules/')) return found
  if (/\.tsx?(?:[?#].*)?$/.test(found.url)) return { ...found, format: 'module' }
  return /\.js(?:[?#].*)?$/.test(found.url) ? { ...found, format: undefined } : found
}`

async function explain(file: string, error: unknown): Promise<ModuleLoadError> {
  if (!(error instanceof Error))
    return new ModuleLoadError('MODULE_THREW', file, `${file} threw ${String(error)}`, error)
  const transform = /^Transform failed with .*\n((?:.*\n?)*)/.exec(error.message)?.[1]
  if (transform !== undefined) {
    const problems = transform.trim().replaceAll(': ERROR: ', ': ')
    return new ModuleLoadError('SYNTAX_ERROR', file, problems, error)
  }
  if (error instanceof SyntaxError && isThrownByEngine(error)) {
    const place = findPlaceInStack(error) ?? (await findPlaceByCheck(file)) ?? `${file}, or a file that it imports`
    return new ModuleLoadError('SYNTAX_ERROR', file, `${place}: ${error.message}`, error)
  }
  if ('code' in error && error.code === 'ERR_MODULE_NOT_FOUND') {
    const fix = 'install the package, or correct the import'
    return new ModuleLoadError('IMPORT_NOT_FOUND', file, `${error.message}: ${fix}`, error)
  }
  return new ModuleLoadError('MODULE_THREW', file, `${file} threw while loading: ${error.message || error.name}`, error)
}

/** Not by code that ran, such as a JSON.parse at the top of a file. */
function isThrownByEngine(error: Error): boolean {
  return /^\s+at .*$/m.exec(error.stack ?? '')?.[0].includes('node:internal') ?? false
}

/** Errors of linking, such as an export that does not exist, have their place alone on the first line of the stack. */
function findPlaceInStack(error: Error): string | undefined {
  return matchPlace(error.stack ?? '')
}

/** The engine keeps the place of a syntax error in plain JavaScript to itself, but prints it when it checks the file. */
async function findPlaceByCheck(file: string): Promise<string | undefined> {
  return new Promise((resolve) => {
    execFile(process.execPath, ['--check', file], { timeout: CHECK_TIMEOUT_MS }, (_, __, stderr) => {
      resolve(matchPlace(stderr))
    })
  })
}

function matchPlace(text: string): string | undefined {
  const first = text.slice(0, text.indexOf('\n'))
  return /^(?:file:\/\/)?(\/.*:\d+)$/.exec(first)?.[1]
}
