/** The command of a process. */
export interface ServiceCommand {
  readonly command: string
  readonly args: readonly string[]
  readonly cwd: string
  /** The complete environment of the process; nothing is inherited. */
  readonly env: Readonly<Record<string, string>>
}

/** A long-running process of a deployment. When it serves, it prints a JSON line with `"event":"ready"` to stdout. */
export interface ServiceDefinition {
  /** Lower-case letters and hyphens. Also the name of its log and pid file. */
  readonly name: string
  /** Other names that commands accept. */
  readonly aliases: readonly string[]
  /** Services that must be ready before the first start of this one, and that stop after it. */
  readonly after: readonly string[]
  /** Grace period after SIGTERM in milliseconds. Default: that of the supervisor. */
  readonly graceMs?: number
  /** Called at each start, so that a changed setting applies from the next start on. */
  command(provided: Readonly<Record<string, string>>): ServiceCommand | Promise<ServiceCommand>
  /** Settings for dependent services, available once this one is ready, e.g. the URL of a database. */
  provides?(): Promise<Readonly<Record<string, string>>>
}

/**
 * `waiting` for another service · `starting` · `ready` · `backing-off` before the next start · `stopping` · `stopped` on
 * request · `failed`: the configuration is wrong, so a restart would not help.
 */
export type ServiceState = 'waiting' | 'starting' | 'ready' | 'backing-off' | 'stopping' | 'stopped' | 'failed'

/** The status of a service. Times are Unix milliseconds. */
export interface ServiceStatus {
  readonly name: string
  readonly state: ServiceState
  readonly pid: number | null
  readonly startedAt: number | null
  readonly readyAt: number | null
  /** Number of restarts since the deployment began, on request or after a failure. */
  readonly restarts: number
  readonly lastError: string | null
  readonly lastErrorAt: number | null
  readonly nextStartAt: number | null
  /** The newest `event` of the current process, e.g. `ready` or `replay-ended`. */
  readonly lastEvent: string | null
}

/** The exit code for a wrong configuration. The process is not restarted. */
export const configurationExitCode = 2
