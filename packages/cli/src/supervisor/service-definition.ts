/** How to start one process. */
export interface ServiceCommand {
  readonly command: string
  readonly args: readonly string[]
  readonly cwd: string
  /** The whole environment of the process: nothing is inherited. */
  readonly env: Readonly<Record<string, string>>
}

/** One long-running process of a deployment. It says on stdout, in a JSON line with `"event":"ready"`, that it serves. */
export interface ServiceDefinition {
  /** Lower-case letters and hyphens: also the name of its log and of its pid file. */
  readonly name: string
  /** Other names by which an operator may call it. */
  readonly aliases: readonly string[]
  /** The services that must be ready before this one starts first, and that stop only after it. */
  readonly after: readonly string[]
  /** How long it may take to end after SIGTERM, in milliseconds; the supervisor's own grace unless set. */
  readonly graceMs?: number
  /** Asked at each start, so that a changed setting counts from the next start on. */
  command(provided: Readonly<Record<string, string>>): ServiceCommand | Promise<ServiceCommand>
  /** Settings that this service has for those after it, once it is ready: the URL of a database. */
  provides?(): Promise<Readonly<Record<string, string>>>
}

/**
 * `waiting` for another service · `starting` · `ready` · `backing-off` before the next start · `stopping` · `stopped` on
 * request · `failed`: its configuration is wrong, so that starting it again would change nothing.
 */
export type ServiceState = 'waiting' | 'starting' | 'ready' | 'backing-off' | 'stopping' | 'stopped' | 'failed'

/** What a service is doing. Instants are Unix milliseconds. */
export interface ServiceStatus {
  readonly name: string
  readonly state: ServiceState
  readonly pid: number | null
  readonly startedAt: number | null
  readonly readyAt: number | null
  /** Starts after the first, on request or after a failure, since the deployment began. */
  readonly restarts: number
  readonly lastError: string | null
  readonly lastErrorAt: number | null
  readonly nextStartAt: number | null
  /** The newest `event` that the process told since it was started, such as `ready` or `replay-ended`. */
  readonly lastEvent: string | null
}

/** How a process says that its configuration is wrong: it is not started again. */
export const configurationExitCode = 2
