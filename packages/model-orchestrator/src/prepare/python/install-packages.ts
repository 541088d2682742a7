import { constants } from 'node:fs'
import { access, mkdir, writeFile } from 'node:fs/promises'
import { delimiter, isAbsolute, join } from 'node:path'
import { RunFailure } from '../../run-failure.ts'
import type { Workshop, WorkshopTask } from '../workshop.ts'
import { type IndexMirror, startIndexMirror } from './index-mirror.ts'
import type { IndexSettings } from './index-settings.ts'
import { installEnvironment } from './install-environment.ts'
import { lineThatMatters } from './installer-errors.ts'
import { BRIDGE_PORT, bridgeCommand, loopbackCommand } from './package-bridge.ts'
import type { PackageCache } from './package-cache.ts'
import type { PythonInterpreter } from './python-interpreter.ts'
import { requirementName, splitHashes } from './python-requirements.ts'

/** How much of the installer's last output an error contains. */
const TAIL_LINES = 12
const TAIL_CHARACTERS = 1_500

/** The runner requires this package, which has no wheel; it is built under the same confinement. */
const SOURCE_ALONE = 'importlib'
const WHEELS_ONLY = ['--only-binary=:all:', `--no-binary=${SOURCE_ALONE}`]

const OFFLINE_FIX = 'connect this machine, or set an index in PIP_INDEX_URL or local wheels in PIP_FIND_LINKS'
const NOT_FOUND = /no matching distribution|could not find a version|no solution found/i
const BUILDS_FIX =
  'only wheels are installed: choose a version that has one for this Python, or ask the operator to allow builds with MODEL_ALLOW_BUILDS=true'

/** One installation in its own folder: `venv` is the result, `work` contains temporary files. */
export interface Installation {
  readonly directory: string
  readonly interpreter: PythonInterpreter
  /** The runner's requirement first, then the submission's. */
  readonly packages: readonly string[]
  readonly source: NodeJS.ProcessEnv
  readonly workshop: Workshop
  /** Whether source packages may be built, which runs their code. */
  readonly allowBuilds: boolean
  readonly cache: PackageCache
  /** Reads the index settings with the pip of this Python. */
  readonly findIndex: (python: string) => Promise<IndexSettings>
  readonly signal: AbortSignal
  readonly limitMs: number
  readonly onLine: (line: string, error: boolean) => void
}

/**
 * Creates a virtual environment in `directory/venv` and installs the packages, with uv if it is on the PATH, otherwise with venv
 * and pip. The environment gets its own pip only if the interpreter has none, because a copy takes seconds. Everything that may
 * run a package's code is confined and reaches only the package index. Throws `BUILD_FAILED`, which begins with the requirement
 * and the installer's error and ends with its last lines.
 */
export async function installPackages(input: Installation): Promise<void> {
  const { directory, interpreter, packages, workshop, onLine } = input
  const deadlineMs = performance.now() + input.limitMs
  const venv = join(directory, 'venv')
  const work = join(directory, 'work')
  for (const folder of [venv, work]) await mkdir(folder)
  const file = join(directory, 'requirements.txt')
  await writeFile(file, packages.map((one) => `${splitHashes(one).text}\n`).join(''))
  const uv = await findUv(input.source.PATH)
  const programs = [interpreter.executable, ...(uv === null ? [] : [uv])]
  const environment = installEnvironment(input.source, work)
  const base = { directory: work, environment, programs, readable: [file], writable: [venv, work] }
  const run = (what: (tail: readonly string[]) => string, mirror: IndexMirror | null, task: Program) =>
    runStep({ input, what, mirror, task: { ...base, ...task, signal: input.signal, limitMs: rest() } })
  const rest = () => Math.max(1, Math.round(deadlineMs - performance.now()))

  const making = uv
    ? { command: uv, args: ['venv', '--allow-existing', '--python', interpreter.executable, venv] }
    : {
        command: interpreter.executable,
        args: ['-I', '-m', 'venv', ...(interpreter.hasPip ? ['--without-pip'] : []), venv],
      }
  onLine(`$ ${[making.command, ...making.args].join(' ')}`, false)
  await run(() => `creating a virtual environment with Python ${interpreter.version}`, null, making)
  const python = join(venv, 'bin', 'python')
  const pipOwner = uv === null && !interpreter.hasPip ? python : interpreter.executable
  const settings = await input.findIndex(pipOwner)
  for (const name of settings.ignored) onLine(`pip's setting "${name}" has no effect here`, false)
  const readable = [file, ...settings.linkFolders, ...settings.constraints]
  await workshop.withSocketFolder(async (folder) => {
    const isOpen = workshop.openBecause !== null
    const socket = isOpen ? null : join(folder, 'index')
    const mirror = await startIndexMirror({ settings, hashes: hashesOf(packages), cache: input.cache, socket })
    try {
      const { command, args } = installer({
        uv,
        python,
        pipOwner,
        file,
        allowBuilds: input.allowBuilds && !isOpen,
        settings,
        mirror,
      })
      onLine(`$ ${[command, ...args].join(' ')}`, false)
      const bridged = socket === null ? { command, args } : bridgeCommand(interpreter.executable, socket, command, args)
      const loopback = socket === null ? [] : loopbackCommand(interpreter.executable)
      const installing = (tail: readonly string[]) => `installing ${namedIn(tail, packages).join(', ')}`
      await run(installing, mirror, { ...bridged, loopback, readable: [...readable, folder] })
    } finally {
      await mirror.close()
    }
  })
  onLine(`environment for Python ${interpreter.version} is ready: ${packages.join(', ')}`, false)
}

type Program = Pick<WorkshopTask, 'command' | 'args'> & Partial<WorkshopTask>

async function runStep(step: {
  readonly input: Installation
  readonly what: (tail: readonly string[]) => string
  readonly mirror: IndexMirror | null
  readonly task: WorkshopTask
}): Promise<void> {
  const { input, what, mirror, task } = step
  const tail: string[] = []
  const end = await input.workshop.run({
    ...task,
    onLine(line, error) {
      if (line.trim() !== '') tail.push(line)
      tail.splice(0, tail.length - TAIL_LINES)
      input.onLine(line, error)
    },
  })
  if (end.code === 0) return
  const why =
    end.over !== null
      ? `was stopped because it ${end.over}`
      : end.isLate
        ? `did not finish within ${input.limitMs} ms`
        : `failed (exit code ${end.code})`
  const lines = tail.join('\n').slice(-TAIL_CHARACTERS)
  const problem = mirror?.problem() ?? null
  const unreachable = problem === null ? '' : `; the package index cannot be reached (${problem}): ${OFFLINE_FIX}`
  const wheels = problem === null && !input.allowBuilds && NOT_FOUND.test(lines) ? `; ${BUILDS_FIX}` : ''
  const matters = end.over === null && !end.isLate && problem === null ? lineThatMatters(tail) : null
  const said = matters === null ? '' : `: ${matters}`
  throw new RunFailure('BUILD_FAILED', `${what(tail)} ${why}${said}${unreachable}${wheels}; last lines: ${lines}`)
}

function installer(input: {
  readonly uv: string | null
  readonly python: string
  /** The Python for which pip is installed. */
  readonly pipOwner: string
  readonly file: string
  readonly allowBuilds: boolean
  readonly settings: IndexSettings
  readonly mirror: IndexMirror
}): { readonly command: string; readonly args: readonly string[] } {
  const { uv, python, pipOwner, file, allowBuilds, settings, mirror } = input
  const address = (path: string) => `http://127.0.0.1:${mirror.port ?? BRIDGE_PORT}${path}`
  const [main, ...more] = mirror.indexPaths.map(address)
  const links = [...settings.linkFolders, ...mirror.linkPaths.map(address)]
  const places = [
    ...(main === undefined ? ['--no-index'] : [`--index-url=${main}`]),
    ...more.map((index) => `--extra-index-url=${index}`),
    ...links.map((link) => `--find-links=${link}`),
    ...settings.constraints.map((path) => `--constraint=${path}`),
    ...(allowBuilds ? [] : WHEELS_ONLY),
  ]
  // Models cannot write to the environment, so modules that are not compiled now would be compiled at each start.
  if (uv)
    return { command: uv, args: ['pip', 'install', '--compile-bytecode', '--python', python, ...places, '-r', file] }
  const quiet = ['--no-input', '--disable-pip-version-check', '--no-cache-dir', '--no-color', '--progress-bar', 'off']
  const target = pipOwner === python ? [] : ['--python', python]
  return { command: pipOwner, args: ['-I', '-m', 'pip', ...target, 'install', ...quiet, ...places, '-r', file] }
}

/** The first uv on the PATH. */
async function findUv(path = ''): Promise<string | null> {
  for (const folder of path.split(delimiter).filter(isAbsolute)) {
    const file = join(folder, 'uv')
    const isThere = await access(file, constants.X_OK).then(
      () => true,
      () => false,
    )
    if (isThere) return file
  }
  return null
}

function hashesOf(packages: readonly string[]): ReadonlyMap<string, ReadonlySet<string>> {
  const found = new Map<string, Set<string>>()
  for (const requirement of packages) {
    const { text, hashes } = splitHashes(requirement)
    if (hashes.length > 0) found.set(requirementName(text), new Set(hashes.map(({ digest }) => digest)))
  }
  return found
}

/** The requirements that the installer's last lines mention; all if they mention none. */
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
