import { type ChildProcess, spawn } from 'node:child_process'
import type { Readable } from 'node:stream'
import { backOffMs, type LogEntry, parseLogLine, processIdentity } from '@crunch/local-processes'
import { describeError } from '../cli-error.ts'
import { failureText } from '../logs/log-entry.ts'
import { readLines } from '../logs/read-lines.ts'
import type { ServiceLog } from '../logs/service-log.ts'
import { endProcess, killGroup } from './end-process.ts'
import { removePidFile, writePidFile } from './pid-files.ts'
import type { RestartPolicy } from './restart-policy.ts'
import {
  configurationExitCode,
  type ServiceCommand,
  type ServiceDefinition,
  type ServiceState,
  type ServiceStatus,
} from './service-definition.ts'

export interface ServiceContext {
  readonly pidDirectory: string
  readonly log: ServiceLog
  readonly policy: RestartPolicy
  readonly graceMs: number
  /** The settings that the services before this one provide. */
  provided(): Readonly<Record<string, string>>
  /** Called after each change of the status. */
  changed(): void
}

interface Child {
  readonly process: ChildProcess
  readonly pid: number
  readonly identity: string
  readonly ended: Promise<void>
}

const maxErrorLength = 2_000
const maxLineLength = 64 * 1024
const errorLevel = 50

/** Keeps one process running: starts it, detects when it serves, restarts it when it ends, stops it on request. */
export class ServiceProcess {
  readonly definition: ServiceDefinition
  readonly #context: ServiceContext
  #state: ServiceState = 'waiting'
  #child: Child | undefined
  #startedAt: number | null = null
  #readyAt: number | null = null
  #starts = 0
  #failuresInRow = 0
  #lastError: string | null = null
  #lastErrorAt: number | null = null
  #nextStartAt: number | null = null
  #lastEvent: string | null = null
  #timer: NodeJS.Timeout | undefined
  /** The newest error that the process logged. It may explain why the process ended. */
  #complaint: string | undefined
  #lastStderrLine: string | undefined
  #launching: Promise<void> = Promise.resolve()
  #stopping: Promise<void> | undefined
  #generation = 0

  constructor(definition: ServiceDefinition, context: ServiceContext) {
    this.definition = definition
    this.#context = context
  }

  get state(): ServiceState {
    return this.#state
  }

  status(): ServiceStatus {
    return {
      name: this.definition.name,
      state: this.#state,
      pid: this.#child?.pid ?? null,
      startedAt: this.#startedAt,
      readyAt: this.#readyAt,
      restarts: Math.max(0, this.#starts - 1),
      lastError: this.#lastError,
      lastErrorAt: this.#lastErrorAt,
      nextStartAt: this.#nextStartAt,
      lastEvent: this.#lastEvent,
    }
  }

  /** Starts the process if it does not run, and resets the count of failures. */
  start(): void {
    if (this.#child !== undefined || this.#state === 'starting') return
    this.#failuresInRow = 0
    this.#launch()
  }

  /** Ends the process and its descendants: SIGTERM, then SIGKILL to its group after the grace period. */
  async stop(): Promise<void> {
    this.#generation += 1
    clearTimeout(this.#timer)
    this.#nextStartAt = null
    this.#stopping ??= this.#endChild()
    await this.#stopping
    this.#stopping = undefined
    this.#setState('stopped')
  }

  #launch(): void {
    // A start on request replaces the scheduled one.
    clearTimeout(this.#timer)
    this.#starts += 1
    this.#nextStartAt = null
    this.#startedAt = Date.now()
    this.#readyAt = null
    this.#lastEvent = null
    this.#complaint = undefined
    this.#lastStderrLine = undefined
    this.#generation += 1
    this.#setState('starting')
    const generation = this.#generation
    this.#launching = this.#spawn(generation).catch((error: unknown) => {
      // The process could not be created: the program or one of its settings is missing.
      if (generation === this.#generation) this.#failed(describeError(error, false))
    })
  }

  async #spawn(generation: number): Promise<void> {
    const command = await this.definition.command(this.#context.provided())
    if (generation !== this.#generation) return
    const child = spawn(command.command, [...command.args], spawnOptions(command))
    await spawned(child)
    const pid = child.pid ?? Number.NaN
    // A process that ended at once has no identity; its end is handled below.
    const identity = processIdentity(pid) ?? `ended:${pid}`
    const ended = this.#watch(child, pid, generation)
    this.#child = { process: child, pid, identity, ended }
    this.#context.log.write(30, 'service started', {
      processId: pid,
      command: [command.command, ...command.args].join(' '),
    })
    await this.#recordPid(pid, identity)
    this.#context.changed()
  }

  async #recordPid(pid: number, identity: string): Promise<void> {
    const record = { service: this.definition.name, pid, identity, startedAt: Date.now() }
    try {
      await writePidFile(this.#context.pidDirectory, record)
    } catch (error) {
      // The file is needed only if the supervisor is killed, and then the process also ends because its standard input closes.
      this.#context.log.write(40, 'the pid file could not be written', { reason: describeError(error, false) })
    }
  }

  #watch(child: ChildProcess, pid: number, generation: number): Promise<void> {
    const outputs = Promise.all([
      this.#readOutput(child.stdout, 'stdout', generation),
      this.#readOutput(child.stderr, 'stderr', generation),
    ])
    // An error of stdin is ignored: nothing is written to it.
    child.stdin?.on('error', () => child.stdin?.destroy())
    return new Promise((resolve) => {
      child.once('exit', (code, signal) => {
        // Descendants are killed too. This also closes the pipes that they share with the process.
        killGroup(pid)
        const flushed = Promise.race([outputs, new Promise((done) => setTimeout(done, 500))])
        flushed.then(() => {
          child.stdin?.destroy()
          child.stdout?.destroy()
          child.stderr?.destroy()
          this.#ended(code, signal, generation)
          resolve()
        })
      })
    })
  }

  async #readOutput(stream: Readable | null, source: 'stdout' | 'stderr', generation: number): Promise<void> {
    if (stream === null) return
    await readLines(stream, maxLineLength, (line) => {
      this.#context.log.writeLine(line, source)
      const entry = parseLogLine(line, Date.now())
      if (entry === undefined) {
        if (source === 'stderr' && line.trim() !== '') this.#lastStderrLine = line.slice(0, maxErrorLength)
        return
      }
      if (entry.level >= errorLevel) this.#complaint = failureText(entry).slice(0, maxErrorLength)
      if (generation === this.#generation) this.#noticeEvent(entry)
    })
  }

  #noticeEvent(entry: LogEntry): void {
    if (typeof entry.fields.event !== 'string') return
    this.#lastEvent = entry.fields.event.slice(0, 100)
    // A standby worker counts as ready: it logs no other event until it takes over.
    if ((this.#lastEvent === 'ready' || this.#lastEvent === 'standing-by') && this.#state === 'starting') {
      this.#readyAt = Date.now()
      this.#state = 'ready'
    }
    this.#context.changed()
  }

  #ended(code: number | null, signal: NodeJS.Signals | null, generation: number): void {
    this.#child = undefined
    const how = signal === null ? `ended with exit code ${code}` : `was ended by ${signal}`
    this.#context.log.write(30, 'service ended', { code, signal })
    removePidFile(this.#context.pidDirectory, this.definition.name).catch((error: unknown) => {
      this.#context.log.write(40, 'the pid file could not be removed', { reason: describeError(error, false) })
    })
    if (generation !== this.#generation) return
    const why = this.#complaint ?? this.#lastStderrLine
    const text = why === undefined ? how : `${how}: ${why}`
    if (code === configurationExitCode) this.#failed(why ?? how)
    else this.#retryAfter(text)
  }

  #failed(text: string): void {
    this.#noteError(text)
    this.#context.log.write(50, 'service cannot start, and stays stopped until crunch restart', { reason: text })
    this.#setState('failed')
  }

  #retryAfter(text: string): void {
    const { policy } = this.#context
    const ranMs = Date.now() - (this.#startedAt ?? 0)
    this.#failuresInRow = ranMs >= policy.stableMs ? 1 : this.#failuresInRow + 1
    const delayMs = backOffMs(this.#failuresInRow, policy)
    this.#noteError(text)
    this.#nextStartAt = Date.now() + delayMs
    this.#context.log.write(40, 'service ended unexpectedly and will be restarted', { reason: text, delayMs })
    this.#setState('backing-off')
    this.#timer = setTimeout(() => this.#launch(), delayMs)
  }

  #noteError(text: string): void {
    this.#lastError = text
    this.#lastErrorAt = Date.now()
  }

  async #endChild(): Promise<void> {
    // If a process is being created, wait until it exists, so that it can be ended.
    await this.#launching
    const child = this.#child
    if (child === undefined) return
    this.#setState('stopping')
    await endProcess(child.pid, child.identity, this.#context.graceMs)
    await child.ended
  }

  #setState(state: ServiceState): void {
    this.#state = state
    this.#context.changed()
  }
}

function spawnOptions(command: ServiceCommand) {
  return {
    cwd: command.cwd,
    env: command.env,
    // With a separate process group, Ctrl-C reaches only the supervisor, and the group can be ended as a whole.
    detached: process.platform !== 'win32',
    stdio: 'pipe',
    windowsHide: true,
  } as const
}

function spawned(child: ChildProcess): Promise<void> {
  return new Promise((resolve, reject) => {
    child.once('spawn', () => resolve())
    child.once('error', reject)
  })
}
