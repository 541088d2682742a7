import { execFile } from 'node:child_process'
import { statSync } from 'node:fs'
import * as nodeModule from 'node:module'
import { resolve as resolvePath } from 'node:path'
import { pathToFileURL } from 'node:url'
import { ExpectedError } from '@crunch/local-processes/errors'
import { register } from 'tsx/esm/api'

/** The exports of a module by name. */
export type LoadedModule = Readonly<Record<string, unknown>>

/** The file is missing, is not valid code, imports a missing module, or threw while loading. */
export type ModuleLoadErrorCode = 'FILE_NOT_FOUND' | 'SYNTAX_ERROR' | 'IMPORT_NOT_FOUND' | 'MODULE_THREW'

/** A file could not be loaded; `cause` is the original error with the author's stack. */
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
 * Imports a .ts, .js, .mjs or .cjs file without a build. Packages that the file imports are the module instances of this
 * process, and stacks show the original lines. TypeScript is always loaded as an ES module, regardless of the nearest
 * package.json.
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

/** Registers once per process: removing the hooks would race with running imports. */
function registerTypeScript(): void {
  if (registered) return
  registered = true
  register()
  const { registerHooks } = nodeModule as unknown as { registerHooks?: (hooks: SyncHooks) => void }
  if (registerHooks !== undefined)
    registerHooks({ resolve: (specifier, context, next) => fixFormat(next(specifier, context)) })
  else nodeModule.register(`data:text/javascript,${encodeURIComponent(HOOKS)}`, { data: { compiler: compilerUrl() } })
}

/** The URL of the esbuild that tsx uses. */
function compilerUrl(): string {
  const tsx = nodeModule.createRequire(import.meta.url).resolve('tsx')
  return pathToFileURL(nodeModule.createRequire(tsx).resolve('esbuild')).href
}

interface Resolved {
  readonly url: string
  readonly format?: string | null | undefined
}

/** The synchronous hooks of newer Node releases, which the types of Node 20 lack. */
interface SyncHooks {
  resolve(specifier: string, context: unknown, next: (specifier: string, context: unknown) => Resolved): Resolved
}

/**
 * In a folder without package.json, Node treats files as CommonJS, where `import` fails. Participants' folders often have
 * none, so TypeScript is declared a module here, and Node detects the format of JavaScript by its syntax.
 */
function fixFormat(found: Resolved): Resolved {
  if (found.format !== 'commonjs' || !found.url.startsWith('file:') || found.url.includes('/node_modules/'))
    return found
  if (/\.tsx?(?:[?#].*)?$/.test(found.url)) return { ...found, format: 'module' }
  return /\.js(?:[?#].*)?$/.test(found.url) ? { ...found, format: undefined } : found
}

/**
 * `fixFormat` as text, for older Node releases, which run hooks in a thread that cannot load TypeScript. There, esbuild keeps
 * a process of 15 MB running. It is stopped after a pause in loading, and starts again when needed.
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

/** False for errors of running code, such as a JSON.parse at the top of a file. */
function isThrownByEngine(error: Error): boolean {
  return /^\s+at .*$/m.exec(error.stack ?? '')?.[0].includes('node:internal') ?? false
}

/** The stack of a linking error, such as a missing export, begins with the place on a line by itself. */
function findPlaceInStack(error: Error): string | undefined {
  return matchPlace(error.stack ?? '')
}

/** The error object does not contain the place of a syntax error in plain JavaScript, but `node --check` prints it. */
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
