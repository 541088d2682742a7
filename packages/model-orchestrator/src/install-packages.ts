import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { pipOnlySetting } from './install-environment.ts'
import { errorText } from './orchestrator-error.ts'
import type { ProcessGuard } from './process-guard.ts'
import type { PythonInterpreter } from './python-interpreter.ts'
import { requirementName } from './python-requirements.ts'
import { RunFailure } from './run-failure.ts'
import { runProgram } from './run-program.ts'

/** Enough of what an installer printed last to tell an author what is wrong. */
const TAIL_LINES = 12
const TAIL_CHARACTERS = 1_500

/** What pip and uv say without a network, or behind a proxy that they were not told of. */
const UNREACHABLE =
  /connection broken by|ConnectionError|ConnectTimeout|name resolution|Network is unreachable|dns error|error sending request/i
const OFFLINE_FIX =
  'the package index cannot be reached: connect this machine, or name an index by PIP_INDEX_URL or local wheels by PIP_FIND_LINKS'

const UV_PROBE_LIMIT_MS = 20_000

/** One installation, in a folder of its own. */
export interface Installation {
  readonly directory: string
  readonly interpreter: PythonInterpreter
  /** The runner's requirement first, then the submission's. */
  readonly packages: readonly string[]
  readonly environment: Readonly<Record<string, string>>
  readonly source: NodeJS.ProcessEnv
  readonly guard: ProcessGuard
  readonly signal: AbortSignal
  readonly limitMs: number
  readonly tell: (line: string, error: boolean) => void
}

/**
 * Makes a virtual environment in `directory` and installs the packages, with uv when it is on the PATH, else with venv
 * and pip. Throws `BUILD_FAILED` that names the requirement and ends with the installer's last lines.
 */
export async function installPackages(input: Installation): Promise<void> {
  const { directory, interpreter, packages, tell } = input
  const deadlineMs = performance.now() + input.limitMs
  const tail: string[] = []
  const requirementsFile = join(directory, 'requirements.txt')
  await writeFile(requirementsFile, `${packages.join('\n')}\n`)
  const python = join(directory, 'bin', 'python')
  for (const { what, command, args } of await installSteps(input, python, requirementsFile)) {
    tell(`$ ${[command, ...args].join(' ')}`, false)
    const limitMs = Math.max(1, Math.round(deadlineMs - performance.now()))
    const end = await run(input, command, args, limitMs, (line, error) => {
      if (line.trim() !== '') tail.push(line)
      tail.splice(0, tail.length - TAIL_LINES)
      tell(line, error)
    })
    if (end.code === 0) continue
    const why = end.isLate ? `was not done within ${input.limitMs} ms` : `failed (exit code ${end.code})`
    const lines = tail.join('\n').slice(-TAIL_CHARACTERS)
    const hint = UNREACHABLE.test(lines) ? `; ${OFFLINE_FIX}` : ''
    throw new RunFailure('BUILD_FAILED', `${what(tail)} ${why}${hint}; last lines: ${lines}`)
  }
  tell(`environment for Python ${interpreter.version} is made: ${packages.join(', ')}`, false)
}

interface InstallStep {
  readonly what: (tail: readonly string[]) => string
  readonly command: string
  readonly args: readonly string[]
}

async function installSteps(input: Installation, python: string, file: string): Promise<readonly InstallStep[]> {
  const { directory, interpreter, packages } = input
  const making = () => `making a virtual environment with Python ${interpreter.version}`
  const installing = (tail: readonly string[]) => `installing ${namedIn(tail, packages).join(', ')}`
  if (await usesUv(input)) {
    // Models may not write there, so what is not compiled now would be compiled at each of their starts.
    const install = ['pip', 'install', '--compile-bytecode', '--python', python, '-r', file]
    return [
      {
        what: making,
        command: 'uv',
        args: ['venv', '--allow-existing', '--python', interpreter.executable, directory],
      },
      { what: installing, command: 'uv', args: install },
    ]
  }
  const quiet = ['--no-input', '--disable-pip-version-check', '--no-color', '--progress-bar', 'off']
  return [
    { what: making, command: interpreter.executable, args: ['-m', 'venv', directory] },
    { what: installing, command: python, args: ['-m', 'pip', 'install', ...quiet, '-r', file] },
  ]
}

async function usesUv(input: Installation): Promise<boolean> {
  const found = await run(input, 'uv', ['--version'], UV_PROBE_LIMIT_MS).catch((error: unknown) => {
    if (input.signal.aborted || !errorText(error).includes('ENOENT')) throw error
    return null
  })
  if (found?.code !== 0) return false
  const setting = pipOnlySetting(input.source)
  if (setting === null) return true
  input.tell(`uv is not used, because ${setting} is set, which only pip knows; set UV_DEFAULT_INDEX to use uv`, false)
  return false
}

function run(
  input: Installation,
  command: string,
  args: readonly string[],
  limitMs: number,
  onLine?: (line: string, error: boolean) => void,
) {
  const { directory, environment, guard, signal } = input
  return runProgram({ command, args, directory, environment, limitMs, signal, guard, ...(onLine ? { onLine } : {}) })
}

/** The requirements that the installer's last lines speak of; all of them when it names none. */
function namedIn(tail: readonly string[], packages: readonly string[]): readonly string[] {
  const words = new Set(
    tail
      .filter((line) => /error|no matching|conflict|because|depends|requires|satisf/i.test(line))
      .flatMap((line) => line.split(/[^A-Za-z0-9._-]+/))
      .map((word) => requirementName(word.replace(/\.+$/, ''))),
  )
  const named = packages.filter((requirement) => words.has(requirementName(requirement)))
  return named.length > 0 ? named : packages
}
