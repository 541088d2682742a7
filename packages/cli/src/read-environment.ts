import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { systemErrorCode } from '@crunch/local-processes'
import { ExpectedError } from '@crunch/local-processes/errors'
import { type CliProblem, formatProblem } from './cli-error.ts'
import { authorNames } from './settings-files/author-code.ts'
import { decodeText } from './settings-files/decode-text.ts'
import { parseSettings, type SettingLine } from './settings-files/parse-settings.ts'

/** Variables by name, as in `process.env`. */
export type Environment = Readonly<Record<string, string | undefined>>

/** The settings files of a node's folder, in order of precedence. */
export const environmentFiles = ['.local.env', '.env'] as const

/** The environment of a node, and the place of each key in its files. */
export interface NodeEnvironment {
  readonly values: Record<string, string>
  /** The places of keys whose value comes from a file, e.g. `/srv/node/.local.env:3`. */
  readonly places: ReadonlyMap<string, string>
  /** Whether a key is used by something other than the node: the author's code, Node.js or an installer. */
  isReadElsewhere(key: string): boolean
}

/** Invalid lines of settings files. */
export class SettingsFileError extends ExpectedError {
  override readonly name = 'SettingsFileError'
  readonly code = 'SETTINGS_INVALID'

  constructor(problems: readonly CliProblem[]) {
    super(problems.map(formatProblem).join('\n'))
  }
}

/** Variables that are read by programs that the node starts. */
const ofOtherPrograms =
  /^(PATH|HOME|TZ|LANG|LANGUAGE|LC_[A-Z]+|TMPDIR|TEMP|TMP|NO_COLOR|FORCE_COLOR|NODE_\w+|(HTTPS?|ALL|NO)_PROXY|PIP_\w+|UV_\w+|PYTHON[A-Z]+|SSL_CERT_(FILE|DIR)|REQUESTS_CA_BUNDLE|COMPOSE_\w+)$/i

/**
 * Reads the environment of a node: the process environment takes precedence over `.local.env`, and that over `.env`.
 * @throws SettingsFileError with every invalid line.
 */
export function readNodeEnvironment(nodeDirectory: string, processEnvironment: Environment): NodeEnvironment {
  const files = [...environmentFiles].reverse().map((name) => readSettingsFile(join(nodeDirectory, name)))
  const problems = files.flatMap(({ problems: ofFile }) => ofFile)
  if (problems.length > 0) throw new SettingsFileError(problems)
  const values: Record<string, string> = {}
  const places = new Map<string, string>()
  for (const { path, lines } of files) {
    for (const { key, value, line } of lines) {
      values[key] = value
      places.set(key, `${path}:${line}`)
    }
  }
  for (const [key, value] of Object.entries(processEnvironment)) {
    if (value === undefined) continue
    values[key] = value
    places.delete(key)
  }
  const isNamed = authorNames(nodeDirectory)
  return { values, places, isReadElsewhere: (key) => ofOtherPrograms.test(key) || isNamed(key) }
}

/** The values of {@link readNodeEnvironment}. */
export function readEnvironment(nodeDirectory: string, processEnvironment: Environment): Record<string, string> {
  return readNodeEnvironment(nodeDirectory, processEnvironment).values
}

interface SettingsFile {
  readonly path: string
  readonly lines: readonly SettingLine[]
  readonly problems: readonly CliProblem[]
}

function readSettingsFile(path: string): SettingsFile {
  const bytes = readBytes(path)
  if ('place' in bytes) return { path, lines: [], problems: [bytes] }
  const decoded = decodeText(bytes)
  if (!('text' in decoded)) {
    const { line, cause, fix } = decoded
    return { path, lines: [], problems: [{ place: line === undefined ? path : `${path}:${line}`, cause, fix }] }
  }
  const { lines, problems } = parseSettings(decoded.text)
  return { path, lines, problems: problems.map(({ line, cause, fix }) => ({ place: `${path}:${line}`, cause, fix })) }
}

function readBytes(path: string): Uint8Array | CliProblem {
  try {
    return readFileSync(path)
  } catch (error) {
    const code = systemErrorCode(error)
    if (code === 'ENOENT') return new Uint8Array()
    if (code === undefined) throw error
    const cause = code === 'EISDIR' ? 'it is a folder' : `it cannot be read (${code})`
    return { place: path, cause, fix: 'make it a text file that this user can read, or remove it' }
  }
}
