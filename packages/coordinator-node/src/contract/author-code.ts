import { ExpectedError, errorText } from '@crunch/local-processes/errors'
import { z } from 'zod'
import { issueTexts } from '../domain/json/issue-text.ts'
import { strictSchema } from './schema/strict-schema.ts'

/** Number of schema issues shown: the first ones explain the problem, and an input may have thousands. */
const maxIssues = 3

/** One function of a contract. */
export interface AuthorFunction<Context, Detail = never> {
  /** Its path in the contract, such as `score.compute`. */
  readonly path: string
  /** The object of which it is a method. */
  readonly owner: object
  // biome-ignore lint/suspicious/noExplicitAny: what an author's function returns is checked by the contract's schema
  readonly run: (context: Context, detail: Detail) => any
}

/**
 * The author's code threw, or returned a value that its schema refuses. The message names the function, the author's file and
 * line, and the cause. It is stored and shown unchanged.
 */
export class AuthorError extends ExpectedError {
  override readonly name = 'AuthorError'
  override readonly code = 'CONTRACT_FAILED'
}

/** Calls a function of the contract. Throws an {@link AuthorError}. */
export function callAuthor<Context, Detail>(
  author: AuthorFunction<Context, Detail>,
  context: Context,
  detail?: Detail,
): unknown {
  try {
    return runAuthorCode(author, context, detail)
  } catch (error) {
    throw new AuthorError(`${author.path} failed${placed(placeThrown(error))}: ${messageOf(error)}`)
  }
}

/** Returns the result of `run`, or of `otherwise` with the reason if the author's code failed. Rethrows other errors, which are the engine's. */
export function ifAuthorFails<Value, Other>(run: () => Value, otherwise: (reason: string) => Other): Value | Other {
  try {
    return run()
  } catch (error) {
    if (error instanceof AuthorError) return otherwise(error.message)
    throw error
  }
}

/** The value parsed by its schema, then by `read`, which may refuse it too. Throws an {@link AuthorError}. */
export function parseReturned<Value>(
  author: AuthorFunction<never>,
  schema: { readonly path: string; readonly of: z.ZodType },
  value: unknown,
  read: (parsed: unknown) => Value,
): Value {
  try {
    const strict = strictSchema(schema.of)
    return read(runAuthorCode({ owner: strict, run: strict.parse }, value))
  } catch (error) {
    const thrownAt = error instanceof z.ZodError ? null : placeThrown(error)
    if (thrownAt !== null) throw new AuthorError(`${schema.path} failed at ${thrownAt}: ${messageOf(error)}`)
    const what = error instanceof z.ZodError ? `what ${schema.path} refuses` : 'what cannot be stored'
    throw wrongReturn(author, `${what}: ${messageOf(error, value)}`)
  }
}

/** The error of a function that returned an invalid value. */
export function wrongReturn(author: AuthorFunction<never>, what: string): AuthorError {
  return new AuthorError(`${author.path}${placed(placeOfFunction(author))} returned ${what}`)
}

/** Frames of a stack above this function are the author's, or of a library that the author calls. */
function runAuthorCode<Context, Detail>(
  { owner, run }: Pick<AuthorFunction<Context, Detail>, 'owner' | 'run'>,
  context: Context,
  detail?: Detail,
): unknown {
  return run.call(owner, context, detail as Detail)
}

function placed(place: string | null): string {
  return place === null ? '' : ` at ${place}`
}

/** File and line of a stack frame. */
const framePattern = /(?:\(|\bat (?:async )?)((?:file:\/\/|\/|[A-Za-z]:[\\/])[^()]*?)(?:\?[^:()]*)?:(\d+):\d+\)?$/

let workspaceFolder: string | null = null

/**
 * From now on, places are shown relative to this folder of the author's workspace, e.g. `challenge/src/scoring.ts:12`. Places of
 * other files, and all places before the first call, are shown with one folder.
 */
export function showPlacesFrom(folder: string): void {
  workspaceFolder = withSlashes(folder).replace(/\/$/, '')
}

/**
 * Where the author's code threw, e.g. `node/contract.ts:38`; `null` when the stack does not show it. The folders around the
 * workspace are omitted, because reasons are public.
 */
function placeThrown(error: unknown): string | null {
  if (!(error instanceof Error) || typeof error.stack !== 'string') return null
  const lines = error.stack.split('\n')
  const end = lines.findIndex((line) => /\brunAuthorCode\d*\b/.test(line))
  for (const line of end < 0 ? [] : lines.slice(0, end)) {
    const [, file = '', number = ''] = framePattern.exec(line.trim()) ?? []
    if (file === '' || /[\\/]node_modules[\\/]/.test(file)) continue
    return `${shortPath(pathOf(file))}:${number}`
  }
  return null
}

/** The path of a frame, which may be a URL. */
function pathOf(file: string): string {
  if (!file.startsWith('file://')) return withSlashes(file)
  try {
    return decodeURIComponent(file.slice('file://'.length))
  } catch {
    return file
  }
}

function withSlashes(path: string): string {
  return path.replaceAll('\\', '/')
}

function shortPath(path: string): string {
  const start = workspaceFolder === null ? -1 : path.indexOf(`${workspaceFolder}/`)
  // On Windows, the path of a URL has a slash before the drive.
  return start === 0 || start === 1
    ? path.slice(start + `${workspaceFolder}/`.length)
    : path.split('/').slice(-2).join('/')
}

/**
 * The place where a function reads its context, because a returned value has no stack. Contract functions are pure, so calling one
 * again changes nothing. `null` if it does not read its context.
 */
function placeOfFunction(author: Pick<AuthorFunction<never>, 'owner' | 'run'>): string | null {
  const context = new Proxy(
    {},
    {
      get: function read(): never {
        const probe = new Error('a probe for the place where the context is read')
        Error.captureStackTrace(probe, read)
        throw probe
      },
    },
  )
  try {
    runAuthorCode(author, context as never)
    return null
  } catch (error) {
    return placeThrown(error)
  }
}

function messageOf(error: unknown, value?: unknown): string {
  return error instanceof z.ZodError ? issueTexts(error.issues, value, 'the value', maxIssues) : errorText(error)
}
