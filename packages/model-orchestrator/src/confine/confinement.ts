import { execFile } from 'node:child_process'
import { existsSync } from 'node:fs'
import { mkdir, mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { errorText } from '@crunch/local-processes/errors'
import { OrchestratorError } from '../errors.ts'
import type { ModelLimits } from '../limit/model-limits.ts'
import type { ProcessGuard } from '../process/process-guard.ts'
import { RunFailure } from '../run-failure.ts'
import type { FreePorts } from './free-ports.ts'
import { namespaceCommand, sealCommand, WRITABLE_FOLDER } from './namespaces.ts'
import { findProgramPaths, findVisiblePaths } from './visible-paths.ts'

/** How models are isolated from each other and from the machine. */
export interface ConfinementSettings {
  /** `none`: no network; the start fails where that is impossible. `host`: open. Default: none where possible. */
  readonly network?: 'none' | 'host' | undefined
  /** `off` gives models all rights of the orchestrator's user, for debugging. Default: `auto`. */
  readonly namespaces?: 'auto' | 'off' | undefined
  /** The host at which coordinators on other machines reach the models. Without it, models are reachable from this machine only. */
  readonly advertiseHost?: string | undefined
}

/** The announced address: `ip:port` is the target of a gRPC client. */
export interface ModelAddress {
  readonly ip: string
  readonly port: number
}

/** How to start one run. */
export interface Placement {
  /** The address that coordinators get. */
  readonly address: ModelAddress
  /** The address at which this process reaches the runner. */
  readonly target: string
  readonly command: string
  readonly args: readonly string[]
  readonly directory: string
  /** In addition to the variables that the submission's language needs. */
  readonly environment: Readonly<Record<string, string>>
  /** The runner is the child of a shell, which reports a signal as an exit code of 128 or more. */
  readonly isInShell: boolean
  /** Call it with the spawned pid once the runner serves, before any code of the model runs. */
  seal(pid: number): Promise<void>
  /** Call it once all processes of the run have ended. */
  remove(): Promise<void>
}

/** A program that prepares a submission: an installer, or a check of its code. */
export interface PreparationTask {
  readonly command: string
  readonly args: readonly string[]
  readonly directory: string
  /** System programs that it runs; their installations are readable too. */
  readonly programs: readonly string[]
  /** Other readable paths. */
  readonly readable: readonly string[]
  readonly writable: readonly string[]
  /** A program that enables loopback; empty if the task needs none. */
  readonly loopback: readonly string[]
  /** The largest file it may write. */
  readonly fileMib: number
  /** The limit for all its processes together. */
  readonly memoryMib: number
}

/** How to start a confined preparation task. */
export interface EnclosedProgram {
  readonly command: string
  readonly args: readonly string[]
  readonly directory: string
}

/** The runner of a model, whose address is appended to `args`. */
export interface RunnerLaunch {
  readonly command: string
  readonly args: readonly string[]
  readonly directory: string
  /** Folders that it must read, besides `directory` and the system's programs. */
  readonly readableDirectories: readonly string[]
}

export interface Confinement {
  /** The limits in force for every model and those that could not be enforced, as text. */
  readonly words: readonly string[]
  /** Why namespaces cannot be used; null if every program runs in its own. */
  readonly openBecause: string | null
  /** Creates a folder for a socket; this process removes it when it exits. */
  makeFolder(): Promise<string>
  /** The same program, confined like a model and without a network. Where namespaces cannot be used, only limits apply. */
  enclose(task: PreparationTask): EnclosedProgram
  /** Reserves the address of one run. Rejects with a `RUN_FAILED` run failure if no port is free. */
  place(launch: RunnerLaunch): Promise<Placement>
}

/** Models with a network listen here unless they are announced to other machines. */
const LOOPBACK = '127.0.0.1'

/** Long enough for a very busy machine; on an idle one the probes take milliseconds. */
const PROBE_TIMEOUT_MS = 60_000
/** The heap's share of a model's memory; the rest is for memory outside the JavaScript heap. */
const HEAP_SHARE = 0.75
/** RLIMIT_DATA also counts memory that was never written to, so it is looser than the limit of used memory. */
const DATA_FACTOR = 2
const DATA_EXTRA_MIB = 1_024
/** Installers keep many packages open at once. */
const INSTALLER_OPEN_FILES = 1_024
const MIB = 1024 * 1024

/**
 * Detects what this machine supports. Throws `SETTINGS_INVALID` when a setting forbids the network and the machine
 * cannot isolate models from it.
 */
export async function createConfinement(input: {
  readonly settings: ConfinementSettings
  readonly limits: ModelLimits
  /** Paths that no model may see, even through links. */
  readonly secret: readonly string[]
  /** Forbid System V segments: without control groups, their owner and size cannot be determined. */
  readonly limitsSegments?: boolean
  readonly guard: ProcessGuard
  readonly ports: FreePorts
  /** Time limit of each probe of the machine; a minute unless given. */
  readonly probeLimitMs?: number
}): Promise<Confinement> {
  const { settings, limits, secret, guard, ports, probeLimitMs } = input
  const { advertiseHost } = settings
  const hasNetwork = settings.network === 'host'
  if (advertiseHost !== undefined && !hasNetwork) throw withoutNetwork(advertiseHost)
  const limiter = await findLimiter(limits, probeLimitMs)
  const folder = await mkdtemp(join(existsSync('/tmp') ? '/tmp' : tmpdir(), 'crunch-'))
  guard.removeFolder(folder)
  const root = join(folder, 'root')
  await mkdir(root)
  const basic = { root, hasNetwork, loopback: [], folderMib: limits.folderMib, limits: limiter.args }
  const problem =
    settings.namespaces === 'off'
      ? 'they are switched off by MODEL_NAMESPACES'
      : (limiter.problem ?? (await probe({ ...basic, segmentPages: null }, probeLimitMs)))
  if (problem !== null && settings.network === 'none') {
    const fix = 'fix that, or set MODEL_NETWORK=host'
    throw new OrchestratorError('SETTINGS_INVALID', `models cannot be isolated from the network: ${problem}; ${fix}`)
  }
  if (problem !== null) return confineByLimits({ limits, limiter, problem, ports, folder, advertiseHost })
  const wantsNone = input.limitsSegments ?? false
  const segmentProblem = wantsNone ? await probe({ ...basic, segmentPages: 0 }, probeLimitMs) : null
  const segmentPages = wantsNone && segmentProblem === null ? 0 : null
  const shared = { ...basic, segmentPages }
  let sockets = 0
  return {
    openBecause: null,
    makeFolder: () => mkdtemp(join(folder, 'index-')),
    enclose: (task) => encloseTask(task, { root, limits, secret, segmentPages }),
    words: [
      `${limits.openFiles} open files`,
      `only the model's files, and ${limits.folderMib} MiB to write to`,
      "only the model's processes",
      'no privileges',
      ...(segmentPages === 0 ? ['no System V segments'] : []),
      ...(segmentProblem === null ? [] : [`System V segments not limited: ${segmentProblem}`]),
      hasNetwork ? 'network open: MODEL_NETWORK=host' : 'no network',
    ],
    async place(launch) {
      const { command, directory, readableDirectories } = launch
      sockets += 1
      const openPlace = hasNetwork ? takePort(ports, advertiseHost) : makeSocketFolder(join(folder, String(sockets)))
      const { address, target, listen, release, socketFolder } = await openPlace
      const args = [...heapArguments(command, limits), ...launch.args, '--address', listen]
      const visible = findVisiblePaths({ command, args, directories: [directory, ...readableDirectories], secret })
      const plan = { ...shared, visible, writable: socketFolder === null ? [] : [socketFolder], directory }
      return {
        ...namespaceCommand(plan, command, args),
        address,
        target,
        directory: '/',
        environment: { HOME: WRITABLE_FOLDER, TMPDIR: WRITABLE_FOLDER },
        isInShell: true,
        seal: async (pid) => (socketFolder === null ? undefined : seal(socketFolder, pid)),
        remove: release,
      }
    },
  }
}

function withoutNetwork(advertiseHost: string): OrchestratorError {
  const problem = `models announced at ${advertiseHost} need a network; set --model-network host (MODEL_NETWORK)`
  return new OrchestratorError('SETTINGS_INVALID', `${problem}, or remove --advertise-host`)
}

interface Place {
  readonly address: ModelAddress
  readonly target: string
  /** The address that the runner gets. */
  readonly listen: string
  readonly socketFolder: string | null
  readonly release: () => Promise<void>
}

/** The address that models with a network listen on. */
export function listenHost(advertiseHost: string | undefined): string {
  if (advertiseHost === undefined) return LOOPBACK
  return advertiseHost.includes(':') ? '::' : '0.0.0.0'
}

async function takePort(ports: FreePorts, advertiseHost: string | undefined): Promise<Place> {
  const port = await ports.take()
  const host = listenHost(advertiseHost)
  return {
    address: { ip: advertiseHost ?? LOOPBACK, port },
    target: `${LOOPBACK}:${port}`,
    listen: `${host === '::' ? '[::]' : host}:${port}`,
    socketFolder: null,
    release: async () => ports.giveBack(port),
  }
}

/** Every announcement contains a port, so the socket's file name ends with one: `sock:1`. */
async function makeSocketFolder(path: string): Promise<Place> {
  await mkdir(path)
  const release = () => rm(path, { recursive: true, force: true })
  const ip = `unix:${path}/sock`
  const target = `${ip}:1`
  return { address: { ip, port: 1 }, target, listen: target, socketFolder: path, release }
}

interface Limiter {
  readonly args: readonly string[]
  readonly problem: string | null
}

async function findLimiter(limits: ModelLimits, limitMs?: number): Promise<Limiter> {
  const args = limitArguments(limits.openFiles, limits.folderMib, limits.memoryMib)
  if (process.platform !== 'linux') return { args, problem: `${process.platform} has no namespaces` }
  return { args, problem: await run('prlimit', [...args, 'true'], limitMs) }
}

function limitArguments(openFiles: number, fileMib: number, memoryMib: number): string[] {
  const data = (memoryMib * DATA_FACTOR + DATA_EXTRA_MIB) * MIB
  return [`--nofile=${openFiles}`, '--core=0', `--fsize=${fileMib * MIB}`, `--data=${data}`]
}

/** The program sees only its own installation, so it finds no secret that it could put into a package. */
function encloseTask(
  task: PreparationTask,
  shared: { root: string; limits: ModelLimits; secret: readonly string[]; segmentPages: number | null },
): EnclosedProgram {
  const { root, limits, secret, segmentPages } = shared
  const programs = task.programs.flatMap((program) => findProgramPaths(program, secret))
  const readable = [...new Set([...programs, ...task.readable])].sort()
  const plan = {
    root,
    visible: { readable: readable.filter((path) => !task.writable.includes(path)), hidden: [] },
    writable: task.writable,
    directory: task.directory,
    hasNetwork: false,
    loopback: task.loopback,
    segmentPages,
    folderMib: limits.folderMib,
    limits: limitArguments(Math.max(limits.openFiles, INSTALLER_OPEN_FILES), task.fileMib, task.memoryMib),
  }
  return { ...namespaceCommand(plan, task.command, task.args), directory: '/' }
}

/** Returns why a program cannot run in its own namespaces; null if it can. */
async function probe(
  input: {
    readonly root: string
    readonly hasNetwork: boolean
    readonly loopback: readonly string[]
    readonly segmentPages: number | null
    readonly folderMib: number
    readonly limits: readonly string[]
  },
  limitMs?: number,
): Promise<string | null> {
  const visible = { readable: [], hidden: [] }
  const plan = namespaceCommand({ ...input, visible, writable: [], directory: '/' }, 'true', [])
  return run(plan.command, plan.args, limitMs)
}

/**
 * Returns why the command failed; null if it succeeded. Rejects on a time-out: that does not prove that isolation is
 * impossible, so models must not run unconfined because of it.
 */
function run(command: string, args: readonly string[], limitMs = PROBE_TIMEOUT_MS): Promise<string | null> {
  return new Promise((resolve, reject) => {
    execFile(command, args, { timeout: limitMs, cwd: '/' }, (error, _, stderr) => {
      if (error === null) resolve(null)
      else if (error.killed) reject(new OrchestratorError('BUSY', slowText(command, limitMs)))
      else if (error.code === 'ENOENT') resolve(`${command} is not installed`)
      else resolve(stderr.trim().split('\n').join('; ') || errorText(error))
    })
  })
}

function slowText(command: string, limitMs: number): string {
  return `${command} did not finish within ${limitMs} ms; start again when this machine is less busy`
}

async function seal(folder: string, pid: number): Promise<void> {
  const { command, args } = sealCommand(folder, pid)
  const problem = await run(command, args)
  if (problem !== null)
    throw new RunFailure('RUN_FAILED', `the folder of the model's socket cannot be protected: ${problem}`)
}

function confineByLimits(input: {
  readonly limits: ModelLimits
  readonly limiter: Limiter
  readonly problem: string
  readonly ports: FreePorts
  readonly folder: string
  readonly advertiseHost: string | undefined
}): Confinement {
  const { limits, limiter, problem, ports, folder, advertiseHost } = input
  const isLimited = limiter.problem === null
  return {
    openBecause: problem,
    makeFolder: () => mkdtemp(join(folder, 'index-')),
    enclose({ command, args, directory, fileMib, memoryMib }) {
      if (!isLimited) return { command, args, directory }
      const own = limitArguments(Math.max(limits.openFiles, INSTALLER_OPEN_FILES), fileMib, memoryMib)
      return { command: 'prlimit', args: [...own, '--', command, ...args], directory }
    },
    words: [
      isLimited ? `${limits.openFiles} open files` : `open files not limited: ${limiter.problem}`,
      `files of this user neither hidden nor protected: no namespaces, ${problem}`,
      `network open: no namespaces, ${problem}`,
    ],
    async place({ command, args, directory }) {
      const { address, target, listen, release } = await takePort(ports, advertiseHost)
      const whole = [...heapArguments(command, limits), ...args, '--address', listen]
      return {
        command: isLimited ? 'prlimit' : command,
        args: isLimited ? [...limiter.args, '--', command, ...whole] : whole,
        address,
        target,
        directory,
        environment: {},
        isInShell: false,
        seal: async () => undefined,
        remove: release,
      }
    },
  }
}

function heapArguments(command: string, limits: ModelLimits): string[] {
  if (command !== process.execPath) return []
  return [`--max-old-space-size=${Math.floor(limits.memoryMib * HEAP_SHARE)}`]
}
