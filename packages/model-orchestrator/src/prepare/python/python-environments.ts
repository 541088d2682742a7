import { createHash } from 'node:crypto'
import { lstat, mkdir, readFile, realpath, rename, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { createFolder, DirectoryBusyError, withDirectoryLock } from '@crunch/local-processes'
import { errorText } from '@crunch/local-processes/errors'
import { holds, linkChain } from '../../confine/visible-paths.ts'
import type { ProcessGuard } from '../../process/process-guard.ts'
import { removeFolder } from '../../process/remove-folder.ts'
import { createStartQueue, type StartQueue } from '../../process/start-queue.ts'
import { RunFailure } from '../../run-failure.ts'
import type { Workshop } from '../workshop.ts'
import { operatorEnvironment } from './install-environment.ts'
import { type Installation, installPackages } from './install-packages.ts'
import { readOperatorIndex } from './operator-index.ts'
import { createPackageCache } from './package-cache.ts'
import { findPython, type PythonInterpreter } from './python-interpreter.ts'
import { checkRequirement } from './python-requirements.ts'

/** The tested version of the Python runner. */
export const PYTHON_RUNNER_REQUIREMENT = 'crunch-model-runner==0.4.2'

/** The runner's own requirements: a submission that lists one without a version needs no other environment. */
const BROUGHT_BY_RUNNER = new Set([
  'grpcio',
  'joblib',
  'numpy',
  'pandas',
  'protobuf',
  'pyarrow',
  'pytest',
  'river',
  'scipy',
])

/** Scientific packages are large, and connections may be slow. */
const BUILD_LIMIT_MS = 600_000

/** Installing loads the disk; more at once would slow down running models. */
const MAX_BUILDS_AT_ONCE = 2

/** Poll interval of the wait for another orchestrator, which limits how late this one notices its stop. */
const LOCK_WAIT_MS = 500

/** Written last: an environment without it is incomplete and is created again. */
const MARKER = 'complete.json'

/** Increment it when the layout of environments changes. */
const LAYOUT = 2

/** Settings for Python models. */
export interface PythonSettings {
  /** By default, `python3` on the PATH. */
  readonly program?: string
  /** The folder for environments; by default `.environments` beside the submissions. */
  readonly environmentsDirectory?: string
  /** Folders with modules that models import without installing them: the base class. */
  readonly path?: readonly string[]
  /** Whether source packages may be built, which runs their code, confined; false by default. */
  readonly allowBuilds?: boolean
}

/** An environment in which the runner and a submission's packages are installed. */
export interface PythonEnvironment {
  readonly directory: string
  /** The system's Python that created it. */
  readonly interpreter: PythonInterpreter
  readonly python: string
  /** The installed runner's script. */
  readonly runner: string
}

/** Progress messages while an environment is created. */
export type BuildListener = (line: string, error: boolean) => void

/** Environments by content: each is created once and shared by all models with the same requirements. */
export interface PythonEnvironments {
  /**
   * Resolves when the environment is ready. Rejects with `BUILD_FAILED`, or with the reason of `signal` when it aborts; the
   * installation then continues, because other models may wait for it.
   */
  ensure(
    requirements: readonly string[],
    place: string,
    signal: AbortSignal,
    onLine: BuildListener,
  ): Promise<PythonEnvironment>
  /** The system's Python, which creates environments. Rejects as `ensure` does. */
  findPython(signal: AbortSignal): Promise<PythonInterpreter>
  /** Ends running installations. */
  close(): Promise<void>
}

interface Build {
  readonly done: Promise<PythonEnvironment>
  readonly listeners: Set<BuildListener>
}

/** See `PythonEnvironments`. `directory` is created when it is needed. */
export function createPythonEnvironments(input: {
  readonly directory: string
  readonly program: string
  readonly source: NodeJS.ProcessEnv
  readonly guard: ProcessGuard
  readonly workshop: Workshop
  readonly allowBuilds?: boolean
  readonly runnerRequirement?: string
  readonly limitMs?: number
}): PythonEnvironments {
  const { directory, guard, program, workshop, source } = input
  const allowBuilds = input.allowBuilds ?? false
  const runnerRequirement = input.runnerRequirement ?? PYTHON_RUNNER_REQUIREMENT
  const limitMs = input.limitMs ?? BUILD_LIMIT_MS
  const environment = operatorEnvironment(source)
  const closing = new AbortController()
  const turns = createStartQueue(MAX_BUILDS_AT_ONCE, limitMs)
  const cache = createPackageCache(join(directory, 'packages'))
  const builds = createBuilds()
  const { signal: closed } = closing
  // After a failure the next model asks again: the operator may have installed Python or corrected the index.
  const python = untilItFails(() => findPython({ program, environment, signal: closed, guard }))
  const findIndex = untilItFails((interpreter: string) =>
    readOperatorIndex({ python: interpreter, source, guard, signal: closed }),
  )
  const shared = { workshop, cache, allowBuilds, signal: closed, limitMs, source, turns, findIndex }

  return {
    async ensure(requirements, place, signal, onLine) {
      for (const requirement of requirements) checkRequirement(requirement, place)
      const found = await unlessAborted(python(), signal)
      const packages = [runnerRequirement, ...differing(requirements)]
      const target = join(directory, environmentName(found, packages, allowBuilds))
      await createFolder(directory).catch((error: unknown) => {
        throw new RunFailure(
          'BUILD_FAILED',
          `folder for environments ${directory} cannot be created: ${errorText(error)}`,
        )
      })
      const existing = await readEnvironment(target, found)
      if (existing) return existing
      const build = builds.join(target, (onLine) =>
        makeEnvironment({ ...shared, directory: target, interpreter: found, packages, onLine }),
      )
      build.listeners.add(onLine)
      try {
        return await unlessAborted(build.done, signal)
      } catch (error) {
        if (!(error instanceof RunFailure) || signal.aborted) throw error
        throw new RunFailure(error.code, `${place}: ${error.message}`, { cause: error })
      } finally {
        build.listeners.delete(onLine)
      }
    },
    findPython: (signal) => unlessAborted(python(), signal),
    async close() {
      closing.abort(new RunFailure('RUN_FAILED', 'the orchestrator stops'))
      await builds.settled()
    },
  }
}

/** Running installations by folder: models with the same requirements wait for one. */
function createBuilds() {
  const builds = new Map<string, Build>()
  return {
    join(target: string, work: (onLine: BuildListener) => Promise<PythonEnvironment>): Build {
      const known = builds.get(target)
      if (known) return known
      const listeners = new Set<BuildListener>()
      const onLine: BuildListener = (line, error) => {
        for (const listener of listeners) listener(line, error)
      }
      const done = work(onLine).finally(() => builds.delete(target))
      // All waiting models may have been stopped; a failure must not become an unhandled rejection.
      done.catch(() => undefined)
      const build = { done, listeners }
      builds.set(target, build)
      return build
    },
    settled: () => Promise.allSettled([...builds.values()].map(({ done }) => done)),
  }
}

/** Runs the work once for all callers, and again after a failure. */
function untilItFails<Args extends unknown[], Result>(
  work: (...args: Args) => Promise<Result>,
): (...args: Args) => Promise<Result> {
  let result: Promise<Result> | null = null
  return (...args) => {
    result ??= work(...args).catch((error: unknown) => {
      result = null
      throw error
    })
    return result
  }
}

/** Creates the environment unless another orchestrator has done so; removes it again if that fails. */
async function makeEnvironment(input: Installation & { readonly turns: StartQueue }): Promise<PythonEnvironment> {
  const { directory, interpreter, packages, signal, onLine } = input
  return whileLocked(`${directory}.lock`, signal, onLine, async () => {
    const done = await readEnvironment(directory, interpreter)
    if (done) return done
    const endTurn = await input.turns.enter(signal)
    try {
      await removeFolder(directory)
      await mkdir(directory)
      await installPackages(input)
      // The installation has ended; from here on, files are written only where it had no access.
      await removeFolder(join(directory, 'work'))
      await writeFile(join(directory, 'new.json'), JSON.stringify({ python: interpreter.version, packages }, null, 2))
      await rename(join(directory, 'new.json'), join(directory, MARKER))
    } catch (error) {
      await removeFolder(directory)
      throw error
    } finally {
      endTurn()
    }
    const made = await readEnvironment(directory, interpreter)
    if (made) return made
    await removeFolder(directory)
    throw new RunFailure('BUILD_FAILED', `${packages[0]} was installed in ${directory} but contains no program`)
  })
}

/** Keeps two orchestrators from creating the same environment. A killed orchestrator holds no lock. */
async function whileLocked<Result>(
  lock: string,
  signal: AbortSignal,
  onLine: BuildListener,
  work: () => Promise<Result>,
): Promise<Result> {
  await mkdir(lock, { recursive: true })
  for (let waitMs = 0; ; waitMs = LOCK_WAIT_MS) {
    signal.throwIfAborted()
    try {
      return await withDirectoryLock(lock, waitMs, work)
    } catch (error) {
      if (!(error instanceof DirectoryBusyError)) throw error
      if (waitMs === 0) onLine('another orchestrator is creating this environment; waiting for it', false)
    }
  }
}

/** The requirements that distinguish environments, sorted: the same packages in another order share one. */
function differing(requirements: readonly string[]): readonly string[] {
  return [...new Set(requirements)].filter((one) => !BROUGHT_BY_RUNNER.has(one.toLowerCase())).sort()
}

function environmentName(found: PythonInterpreter, packages: readonly string[], allowBuilds: boolean): string {
  const content = [LAYOUT, found.version, allowBuilds, ...packages]
  const hash = createHash('sha256').update(JSON.stringify(content))
  return `python-${found.version}-${hash.digest('hex').slice(0, 16)}`
}

/** The environment if it is complete, its interpreter is installed, and its programs are unchanged. */
async function readEnvironment(directory: string, interpreter: PythonInterpreter): Promise<PythonEnvironment | null> {
  const bin = join(directory, 'venv', 'bin')
  const environment = { directory, interpreter, python: join(bin, 'python'), runner: join(bin, 'model-runner') }
  try {
    await readFile(join(directory, MARKER))
    return (await isUntouched(environment)) ? environment : null
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return null
    throw error
  }
}

/**
 * A package that is built could replace the programs by links, and models can read the targets of such links.
 */
async function isUntouched({ directory, interpreter, python, runner }: PythonEnvironment): Promise<boolean> {
  const home = await realpath(directory)
  const own = await realpath(interpreter.executable)
  const isInside = (path: string) => holds(home, path)
  const isRunner = (await lstat(runner)).isFile() && isInside(await realpath(runner))
  if (!isRunner) return false
  // Each intermediate path becomes readable, and "d/../../secret" is a different file if d is a link.
  for (const step of linkChain(python)) {
    const found = await realpath(step)
    if (found !== own && !isInside(found)) return false
  }
  return true
}

async function unlessAborted<Result>(work: Promise<Result>, signal: AbortSignal): Promise<Result> {
  let leave: () => void = () => undefined
  const aborted = new Promise<never>((_, reject) => {
    leave = () => reject(signal.reason)
    if (signal.aborted) leave()
    else signal.addEventListener('abort', leave, { once: true })
  })
  try {
    return await Promise.race([work, aborted])
  } finally {
    signal.removeEventListener('abort', leave)
  }
}
