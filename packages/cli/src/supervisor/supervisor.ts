import { rm } from 'node:fs/promises'
import type { Server } from 'node:net'
import { join } from 'node:path'
import { CliError, describeError } from '../cli-error.ts'
import { defaultLogLimits, type LogLimits, ServiceLog } from '../logs/service-log.ts'
import { type ControlRequest, type SupervisorStatus, serveControl } from './control.ts'
import { graceMs } from './end-process.ts'
import { type EndedProcess, endLeftovers } from './pid-files.ts'
import { defaultRestartPolicy, type RestartPolicy } from './restart-policy.ts'
import type { ServiceDefinition } from './service-definition.ts'
import { ServiceProcess } from './service-process.ts'
import { claimWorkspace, releaseWorkspace, type SupervisorRecord } from './supervisor-record.ts'

/** The services of a supervisor, and the place of its state. */
export interface SupervisorOptions {
  readonly stateDirectory: string
  readonly services: readonly ServiceDefinition[]
  readonly apiUrl: string
  /** The address of the model orchestrator's own API; `null` when another machine runs the models. */
  readonly modelsUrl: string | null
  readonly mode: string
  /** Called before the services start, once the workspace is claimed and all processes of an earlier supervisor have ended. */
  readonly prepare?: () => Promise<void>
  /** Called after the services have ended: ends processes that survived them, and returns those. */
  readonly endRest?: () => Promise<readonly EndedProcess[]>
  readonly policy?: RestartPolicy
  readonly graceMs?: number
  readonly logLimits?: LogLimits
}

/** Keeps the processes of a deployment running until `stop()`. One per workspace. */
export class Supervisor {
  readonly #options: SupervisorOptions
  readonly #record: SupervisorRecord
  readonly #log: ServiceLog
  readonly #logs: ServiceLog[] = []
  readonly #services = new Map<string, ServiceProcess>()
  readonly #provided = new Map<string, { readonly startedAt: number | null; readonly values: Record<string, string> }>()
  readonly #listeners = new Set<() => void>()
  #server: Server | undefined
  #stopped: Promise<void> | undefined
  #isPrepared = false
  #onDown: () => void = () => undefined
  /** Resolves on a request through the socket to end the deployment. */
  readonly downRequested: Promise<void> = new Promise((resolve) => {
    this.#onDown = resolve
  })

  private constructor(options: SupervisorOptions, record: SupervisorRecord) {
    this.#options = options
    this.#record = record
    const logDirectory = join(options.stateDirectory, 'logs')
    this.#log = new ServiceLog(logDirectory, 'supervisor', options.logLimits ?? defaultLogLimits)
    this.#logs.push(this.#log)
    for (const definition of options.services) {
      const log = new ServiceLog(logDirectory, definition.name, options.logLimits ?? defaultLogLimits)
      this.#logs.push(log)
      const context = {
        pidDirectory: join(options.stateDirectory, 'pids'),
        log,
        policy: options.policy ?? defaultRestartPolicy,
        graceMs: definition.graceMs ?? options.graceMs ?? graceMs,
        provided: () => this.#providedSettings(),
        changed: () => this.#changed(definition.name),
      }
      this.#services.set(definition.name, new ServiceProcess(definition, context))
    }
  }

  /**
   * Claims the workspace, ends processes of an earlier supervisor, and begins to start the services.
   * @throws CliError if the workspace is already deployed.
   */
  static async open(options: SupervisorOptions): Promise<Supervisor> {
    const { stateDirectory, apiUrl, modelsUrl, mode } = options
    const record = await claimWorkspace(stateDirectory, { apiUrl, modelsUrl, mode })
    const supervisor = new Supervisor(options, record)
    try {
      // Started first, so that the status is available from the beginning.
      supervisor.#server = await serveControl(record.socketPath, (request) => supervisor.#handle(request))
      for (const { service, pid } of await endLeftovers(join(stateDirectory, 'pids'))) {
        supervisor.#log.write(40, 'a process of a killed supervisor was ended', { service, processId: pid })
      }
      await options.prepare?.()
    } catch (error) {
      await supervisor.stop()
      throw error
    }
    supervisor.#isPrepared = true
    supervisor.#startWaiting()
    return supervisor
  }

  status(): SupervisorStatus {
    const { pid, startedAt, mode, apiUrl, modelsUrl } = this.#record
    return {
      pid,
      startedAt,
      mode,
      apiUrl,
      modelsUrl,
      services: [...this.#services.values()].map((service) => service.status()),
    }
  }

  /** Calls `listener` after each change of a service's state, until the returned function is called. */
  onChange(listener: () => void): () => void {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }

  /** Restarts one service, or all services in the order of their dependencies. */
  async restart(name?: string): Promise<void> {
    // Before the first start there is nothing to restart.
    if (!this.#isPrepared) return
    if (name === undefined) {
      await this.#stopServices()
      this.#provided.clear()
      for (const service of this.#services.values()) this.#waiting.add(service.definition.name)
      this.#startWaiting()
      return
    }
    const service = this.#find(name)
    await service.stop()
    // Not started at once: before its dependencies are ready, it would lack their settings and use those of the environment.
    this.#waiting.add(service.definition.name)
    this.#startWaiting()
  }

  /** Ends all processes, then releases the workspace. May be called more than once. */
  stop(): Promise<void> {
    this.#stopped ??= this.#stopAll()
    return this.#stopped
  }

  readonly #waiting = new Set<string>()

  async #stopAll(): Promise<void> {
    await this.#stopServices()
    await this.#endRest()
    const server = this.#server
    if (server !== undefined) await new Promise<void>((resolve) => server.close(() => resolve()))
    if (process.platform !== 'win32') await rm(this.#record.socketPath, { force: true })
    await releaseWorkspace(this.#options.stateDirectory, this.#record)
    await Promise.all(this.#logs.map((log) => log.close()))
  }

  async #endRest(): Promise<void> {
    try {
      for (const { service, pid } of (await this.#options.endRest?.()) ?? []) {
        this.#log.write(40, 'a process that outlived its service was ended', { service, processId: pid })
      }
    } catch (error) {
      // The workspace must be released even if this fails; `crunch down` tries again.
      this.#log.write(50, 'processes that outlived their services could not be ended', {
        reason: describeError(error, true),
      })
    }
  }

  /** Stops a service after those that depend on it, so that none of them loses its database or models while it works. */
  async #stopServices(): Promise<void> {
    this.#waiting.clear()
    const stops = new Map<string, Promise<void>>()
    const stopOne = (service: ServiceProcess): Promise<void> => {
      const { name } = service.definition
      const known = stops.get(name)
      if (known !== undefined) return known
      const dependents = [...this.#services.values()].filter((other) => other.definition.after.includes(name))
      const stop = Promise.all(dependents.map(stopOne)).then(() => service.stop())
      stops.set(name, stop)
      return stop
    }
    await Promise.all([...this.#services.values()].map(stopOne))
  }

  async #handle(request: ControlRequest): Promise<SupervisorStatus> {
    if (request.command === 'down') this.#onDown()
    if (request.command === 'restart') await this.restart(request.service)
    return this.status()
  }

  #find(name: string): ServiceProcess {
    const all = [...this.#services.values()]
    const found = all.find(({ definition }) => definition.name === name || definition.aliases.includes(name))
    if (found !== undefined) return found
    throw new CliError({
      place: `service ${JSON.stringify(name)}`,
      cause: 'this deployment has no such service',
      fix: `name one of: ${all.map(({ definition }) => definition.name).join(', ')}`,
    })
  }

  #providedSettings(): Record<string, string> {
    return Object.assign({}, ...[...this.#provided.values()].map(({ values }) => values))
  }

  #startWaiting(): void {
    if (this.#stopped !== undefined || !this.#isPrepared) return
    for (const service of this.#services.values()) {
      const isWaiting = service.state === 'waiting' || this.#waiting.has(service.definition.name)
      if (!isWaiting || !service.definition.after.every((name) => this.#serves(name))) continue
      this.#waiting.delete(service.definition.name)
      service.start()
    }
  }

  #serves(name: string): boolean {
    const service = this.#services.get(name)
    if (service === undefined) throw new Error(`a service is declared to start after "${name}", which does not exist`)
    if (service.state !== 'ready') return false
    return (
      service.definition.provides === undefined || this.#provided.get(name)?.startedAt === service.status().startedAt
    )
  }

  #changed(name: string): void {
    const service = this.#services.get(name)
    // Undefined only during the constructor.
    if (service === undefined) return
    if (service.state === 'ready' && service.definition.provides !== undefined) {
      this.#takeProvided(service, service.definition.provides).catch((error: unknown) => {
        this.#log.write(50, 'a service does not report its settings', {
          service: name,
          reason: describeError(error, true),
        })
      })
    }
    this.#startWaiting()
    for (const listener of this.#listeners) listener()
  }

  async #takeProvided(
    service: ServiceProcess,
    provides: () => Promise<Readonly<Record<string, string>>>,
  ): Promise<void> {
    const { name } = service.definition
    const { startedAt } = service.status()
    const before = this.#provided.get(name)
    if (before?.startedAt === startedAt) return
    const values = { ...(await provides()) }
    this.#provided.set(name, { startedAt, values })
    const hasMoved = before !== undefined && JSON.stringify(before.values) !== JSON.stringify(values)
    if (hasMoved) await this.#restartDependents(name)
    this.#startWaiting()
  }

  /** Restarts dependent services, e.g. after the database has changed its port: they read its address only at their start. */
  async #restartDependents(name: string): Promise<void> {
    const dependents = [...this.#services.values()].filter(
      ({ definition, state }) => definition.after.includes(name) && state !== 'waiting' && state !== 'stopped',
    )
    await Promise.all(
      dependents.map(async (dependent) => {
        await dependent.stop()
        if (this.#stopped === undefined) dependent.start()
      }),
    )
  }
}
