import { createHash } from 'node:crypto'
import { access, mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { DirectoryBusyError, withDirectoryLock } from '@crunch/local-processes'
import { installEnvironment } from './install-environment.ts'
import { type Installation, installPackages } from './install-packages.ts'
import { errorText } from './orchestrator-error.ts'
import type { ProcessGuard } from './process-guard.ts'
import { findPython, type PythonInterpreter } from './python-interpreter.ts'
import { RunFailure } from './run-failure.ts'
import { createStartQueue, type StartQueue } from './start-queue.ts'

/** The version of the hosting program that we are tested with. */
export const PYTHON_RUNNER_REQUIREMENT = 'crunch-model-runner==0.4.2'

/** What that version requires itself: naming it without a version changes nothing. */
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

/** Scientific packages are large, and so are slow lines. */
const BUILD_LIMIT_MS = 600_000

/** Installing is heavy on the disk; more at once would only slow down the models that run. */
const MAX_BUILDS_AT_ONCE = 2

/** How long a wait for another orchestrator may go on after ours was told to stop. */
const LOCK_WAIT_MS = 500

/** Written last: an environment without it was not finished and is made anew. */
const MARKER = 'complete.json'

/** Where Python models get their programs from. */
export interface PythonSettings {
  /** `python3` on the PATH unless given. */
  readonly program?: string
  /** Where the environments are made; `.environments` beside the submissions' folder unless given. */
  readonly environmentsDirectory?: string
  /** Folders in which models find modules that are no packages of theirs: the base class. */
  readonly path?: readonly string[]
}

/** An environment in which the runner and a submission's packages are installed. */
export interface PythonEnvironment {
  readonly directory: string
  readonly python: string
  /** The script of the installed runner. */
  readonly runner: string
}

/** What is told while an environment is made. */
export type BuildListener = (line: string, error: boolean) => void

/** Environments by what is in them: each is made once and used by every model that wants the same. */
export interface PythonEnvironments {
  /**
   * Resolves when the environment is there. Rejects with `BUILD_FAILED` and the installer's last lines, or with the
   * signal's reason when `signal` aborts; the work goes on then, for others may wait for it.
   */
  ensure(
    requirements: readonly string[],
    place: string,
    signal: AbortSignal,
    tell: BuildListener,
  ): Promise<PythonEnvironment>
  /** Ends what is being made. */
  close(): Promise<void>
}

interface Build {
  readonly done: Promise<PythonEnvironment>
  readonly listeners: Set<BuildListener>
}

/** See `PythonEnvironments`; `directory` and what is above it are made when they are needed. */
export function createPythonEnvironments(input: {
  readonly directory: string
  readonly program: string
  readonly source: NodeJS.ProcessEnv
  readonly guard: ProcessGuard
  readonly runnerRequirement?: string
  readonly limitMs?: number
}): PythonEnvironments {
  const { directory, guard, program } = input
  const runnerRequirement = input.runnerRequirement ?? PYTHON_RUNNER_REQUIREMENT
  const limitMs = input.limitMs ?? BUILD_LIMIT_MS
  const environment = installEnvironment(input.source)
  const closing = new AbortController()
  const turns = createStartQueue(MAX_BUILDS_AT_ONCE, limitMs)
  const workshop = { environment, guard, signal: closing.signal, limitMs, source: input.source, turns }
  const builds = new Map<string, Build>()
  let interpreter: Promise<PythonInterpreter> | null = null

  function python(): Promise<PythonInterpreter> {
    interpreter ??= findPython({ program, environment, signal: closing.signal, guard }).catch((error: unknown) => {
      // The operator may install one; the next model asks again.
      interpreter = null
      throw error
    })
    return interpreter
  }

  function begin(key: string, work: (tell: BuildListener) => Promise<PythonEnvironment>): Build {
    const listeners = new Set<BuildListener>()
    const tell: BuildListener = (line, error) => {
      for (const listener of listeners) listener(line, error)
    }
    const done = work(tell).finally(() => builds.delete(key))
    // Whoever asked may have left; a failure that nobody waits for is no error of ours.
    done.catch(() => undefined)
    const build = { done, listeners }
    builds.set(key, build)
    return build
  }

  return {
    async ensure(requirements, place, signal, tell) {
      const found = await unlessAborted(python(), signal)
      const packages = [runnerRequirement, ...differing(requirements)]
      const target = join(directory, environmentName(found, packages))
      await mkdir(directory, { recursive: true }).catch((error: unknown) => {
        throw new RunFailure('BUILD_FAILED', `folder for environments ${directory} cannot be made: ${errorText(error)}`)
      })
      const existing = await readEnvironment(target)
      if (existing) return existing
      const build =
        builds.get(target) ??
        begin(target, (tell) => makeEnvironment({ ...workshop, directory: target, interpreter: found, packages, tell }))
      build.listeners.add(tell)
      try {
        return await unlessAborted(build.done, signal)
      } catch (error) {
        if (!(error instanceof RunFailure) || signal.aborted) throw error
        throw new RunFailure(error.code, `${place}: ${error.message}`, { cause: error })
      } finally {
        build.listeners.delete(tell)
      }
    },
    async close() {
      closing.abort(new RunFailure('RUN_FAILED', 'the orchestrator stops'))
      await Promise.allSettled([...builds.values()].map(({ done }) => done))
    },
  }
}

/** Makes the environment unless another orchestrator was quicker; a failed or half-built one leaves nothing behind. */
async function makeEnvironment(input: Installation & { readonly turns: StartQueue }): Promise<PythonEnvironment> {
  const { directory, interpreter, packages, signal, tell } = input
  return whileLocked(`${directory}.lock`, signal, tell, async () => {
    const done = await readEnvironment(directory)
    if (done) return done
    const endTurn = await input.turns.enter(signal)
    try {
      await rm(directory, { recursive: true, force: true })
      await mkdir(directory)
      await installPackages(input)
      await writeFile(join(directory, 'new.json'), JSON.stringify({ python: interpreter.version, packages }, null, 2))
      await rename(join(directory, 'new.json'), join(directory, MARKER))
    } catch (error) {
      await rm(directory, { recursive: true, force: true })
      throw error
    } finally {
      endTurn()
    }
    const made = await readEnvironment(directory)
    if (made) return made
    throw new RunFailure('BUILD_FAILED', `${packages[0]} was installed in ${directory} but left no program`)
  })
}

/** No two orchestrators make the same environment at once; the lock of one that was killed is free. */
async function whileLocked<Result>(
  lock: string,
  signal: AbortSignal,
  tell: BuildListener,
  work: () => Promise<Result>,
): Promise<Result> {
  await mkdir(lock, { recursive: true })
  for (let waitMs = 0; ; waitMs = LOCK_WAIT_MS) {
    signal.throwIfAborted()
    try {
      return await withDirectoryLock(lock, waitMs, work)
    } catch (error) {
      if (!(error instanceof DirectoryBusyError)) throw error
      if (waitMs === 0) tell('another orchestrator makes this environment; waiting for it', false)
    }
  }
}

/** What decides of an environment, in one order: half a gigabyte is not made twice for the same packages. */
function differing(requirements: readonly string[]): readonly string[] {
  return [...new Set(requirements)].filter((one) => !BROUGHT_BY_RUNNER.has(one.toLowerCase())).sort()
}

function environmentName(found: PythonInterpreter, packages: readonly string[]): string {
  const hash = createHash('sha256').update(JSON.stringify([found.version, ...packages]))
  return `python-${found.version}-${hash.digest('hex').slice(0, 16)}`
}

/** The environment, when it is complete and its interpreter is still installed on the machine. */
async function readEnvironment(directory: string): Promise<PythonEnvironment | null> {
  const bin = join(directory, 'bin')
  const environment = { directory, python: join(bin, 'python'), runner: join(bin, 'model-runner') }
  try {
    await readFile(join(directory, MARKER))
    await access(environment.python)
    await access(environment.runner)
    return environment
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return null
    throw error
  }
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
