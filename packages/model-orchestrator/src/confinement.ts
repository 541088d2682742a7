import { execFile } from 'node:child_process'
import { existsSync } from 'node:fs'
import { mkdir, mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { ModelLimits } from './model-limits.ts'
import { namespaceCommand, sealCommand, WRITABLE_FOLDER } from './namespaces.ts'
import { errorText, OrchestratorError } from './orchestrator-error.ts'
import type { PreparedSubmission } from './prepare-submission.ts'
import type { ProcessGuard } from './process-guard.ts'
import { RunFailure } from './run-failure.ts'
import { findVisiblePaths } from './visible-paths.ts'

/** How models are kept from each other and from the machine, beyond what is watched. */
export interface ConfinementSettings {
  /** `none` must work, `host` leaves it open; unless given, models have none where that is possible. */
  readonly network?: 'none' | 'host' | undefined
  /** `off` gives models all that the user of the orchestrator has, for finding errors; unless given, `auto`. */
  readonly namespaces?: 'auto' | 'off' | undefined
}

/** What to announce: `ip:port` is the target of a gRPC client. */
export interface ModelAddress {
  readonly ip: string
  readonly port: number
}

/** How one run is started. */
export interface Placement {
  readonly command: string
  readonly args: readonly string[]
  readonly directory: string
  /** On top of what the submission's language needs. */
  readonly environment: Readonly<Record<string, string>>
  /** A shell stands between us and the runner: it tells a signal as an exit code of 128 and more. */
  readonly isInShell: boolean
  /** Call it when the runner serves, with the pid that was spawned; before, no code of the model may have run. */
  seal(pid: number): Promise<void>
  /** Call it when nothing of the run is left. */
  remove(): Promise<void>
}

export interface Confinement {
  /** What is in force for every model and what could not be enforced, in words. */
  readonly words: readonly string[]
  /** Where the next run shall listen; null where it has a network and listens on a port. */
  nextSocket(): Promise<{ readonly address: ModelAddress; readonly folder: string } | null>
  place(prepared: PreparedSubmission, address: ModelAddress, socketFolder: string | null): Placement
}

const PROBE_TIMEOUT_MS = 10_000
/** The rest is for what a program needs beside the heap of JavaScript. */
const HEAP_SHARE = 0.75
/** Of private memory, written to or not, one process may ask for; the watch ends it for what it uses. */
const DATA_FACTOR = 2
const DATA_EXTRA_MIB = 1_024
const THREADS_A_PROCESS = 32
const MIB = 1024 * 1024

/**
 * Finds out what this machine allows. Throws `SETTINGS_INVALID` when a network was forbidden by setting and the machine
 * cannot keep models from it.
 */
export async function createConfinement(input: {
  readonly settings: ConfinementSettings
  readonly limits: ModelLimits
  /** What no model may see, whoever links to it. */
  readonly secret: readonly string[]
  readonly guard: ProcessGuard
}): Promise<Confinement> {
  const { settings, limits, secret, guard } = input
  const hasNetwork = settings.network === 'host'
  const limiter = await findLimiter(limits)
  const folder = await mkdtemp(join(existsSync('/tmp') ? '/tmp' : tmpdir(), 'crunch-'))
  guard.removeFolder(folder)
  const root = join(folder, 'root')
  await mkdir(root)
  const shared = { root, hasNetwork, folderMib: limits.folderMib, limits: limiter.args }
  const problem =
    settings.namespaces === 'off' ? 'they are switched off' : (limiter.problem ?? (await probe({ ...shared })))
  if (problem !== null && settings.network === 'none') {
    const fix = 'mend that, or give --model-network host'
    throw new OrchestratorError('SETTINGS_INVALID', `models cannot be kept from the network: ${problem}; ${fix}`)
  }
  if (problem !== null) return confineByLimits(limits, limiter, problem)
  let sockets = 0
  return {
    words: [
      `${limits.openFiles} open files`,
      `its own files only, and ${limits.folderMib} MiB to write to`,
      'no other processes',
      'no privileges',
      hasNetwork ? 'network open: --model-network host' : 'no network',
    ],
    async nextSocket() {
      if (hasNetwork) return null
      sockets += 1
      const own = join(folder, String(sockets))
      await mkdir(own)
      return { folder: own, address: { ip: `unix:${own}/sock`, port: 1 } }
    },
    place(prepared, _, socketFolder) {
      const { command, directory, readableDirectories } = prepared
      const args = [...heapArguments(command, limits), ...prepared.args]
      const directories = [directory, ...readableDirectories]
      const visible = findVisiblePaths({ command, args, directories, secret })
      const plan = { ...shared, visible, shared: socketFolder, directory }
      return {
        ...namespaceCommand(plan, command, args),
        directory: '/',
        environment: { HOME: WRITABLE_FOLDER, TMPDIR: WRITABLE_FOLDER },
        isInShell: true,
        seal: async (pid) => (socketFolder === null ? undefined : seal(socketFolder, pid)),
        remove: async () => (socketFolder === null ? undefined : rm(socketFolder, { recursive: true, force: true })),
      }
    },
  }
}

interface Limiter {
  readonly args: readonly string[]
  readonly problem: string | null
}

async function findLimiter(limits: ModelLimits): Promise<Limiter> {
  const data = (limits.memoryMib * DATA_FACTOR + DATA_EXTRA_MIB) * MIB
  const args = [`--nofile=${limits.openFiles}`, '--core=0', `--fsize=${limits.folderMib * MIB}`, `--data=${data}`]
  if (process.platform !== 'linux') return { args, problem: `${process.platform} has no namespaces` }
  return { args, problem: await run('prlimit', [...args, 'true']) }
}

/** Null when a program can be run in namespaces of its own; else why not. */
async function probe(input: {
  readonly root: string
  readonly hasNetwork: boolean
  readonly folderMib: number
  readonly limits: readonly string[]
}): Promise<string | null> {
  const visible = { readable: [], hidden: [] }
  const plan = namespaceCommand({ ...input, visible, shared: null, directory: '/' }, 'true', [])
  return run(plan.command, plan.args)
}

function run(command: string, args: readonly string[]): Promise<string | null> {
  return new Promise((resolve) => {
    execFile(command, args, { timeout: PROBE_TIMEOUT_MS, cwd: '/' }, (error, _, stderr) => {
      if (error === null) resolve(null)
      else if (error.code === 'ENOENT') resolve(`${command} is not installed`)
      else resolve(stderr.trim().split('\n').join('; ') || errorText(error))
    })
  })
}

async function seal(folder: string, pid: number): Promise<void> {
  const { command, args } = sealCommand(folder, pid)
  const problem = await run(command, args)
  if (problem !== null) throw new RunFailure('RUN_FAILED', `its socket's folder cannot be protected: ${problem}`)
}

function confineByLimits(limits: ModelLimits, limiter: Limiter, problem: string): Confinement {
  const isLimited = limiter.problem === null
  return {
    words: [
      isLimited ? `${limits.openFiles} open files` : `open files not limited: ${limiter.problem}`,
      `files of this user not hidden nor protected: no namespaces, ${problem}`,
      `network open: no namespaces, ${problem}`,
    ],
    nextSocket: async () => null,
    place({ command, args, directory }) {
      const whole = [...heapArguments(command, limits), ...args]
      return {
        command: isLimited ? 'prlimit' : command,
        args: isLimited ? [...limiter.args, '--', command, ...whole] : whole,
        directory,
        environment: {},
        isInShell: false,
        seal: async () => undefined,
        remove: async () => undefined,
      }
    },
  }
}

function heapArguments(command: string, limits: ModelLimits): string[] {
  if (command !== process.execPath) return []
  return [`--max-old-space-size=${Math.floor(limits.memoryMib * HEAP_SHARE)}`]
}
