import { wait } from '@crunch/local-processes'
import { CliError, ReportedFailure } from '../cli-error.ts'
import type { SimulationResult } from '../engine.ts'
import { formatLogEntry } from '../logs/log-entry.ts'
import { readLogs } from '../logs/read-logs.ts'
import type { OrchestratorModel } from '../models/orchestrator-client.ts'
import type { ReportClient } from '../report-api/report-client.ts'
import type { ServiceStatus } from '../supervisor/service-definition.ts'
import type { Terminal } from '../terminal/terminal.ts'

const pollMs = 100
const lastLines = 15

/** Reads the state of the services, in this process or through the supervisor's socket. */
export type LookAtServices = () => Promise<readonly ServiceStatus[]>

export interface WatchInput {
  readonly look: LookAtServices
  readonly client: ReportClient
  readonly logDirectory: string
  readonly terminal: Terminal
  /** Start of the deployment, in Unix milliseconds. Older log lines belong to another deployment. */
  readonly since: number
  /** The wait fails if nothing changes for this long. */
  readonly patienceMs: number
  /** The result of a replay: what the contract refused, and why there are no predictions or no scores. */
  readonly outcome: () => Promise<Pick<SimulationResult, 'failure' | 'refusals'>>
  /** False if no service of the deployment serves the API. */
  readonly hasApi: boolean
  /** Asks the orchestrator for its models. */
  readonly models: () => Promise<readonly OrchestratorModel[]>
}

/** A service that cannot serve, or a standstill. It is reported with the last lines of the service's log. */
export class DeploymentFailure extends Error {
  override readonly name = 'DeploymentFailure'
  readonly service: string | undefined

  constructor(message: string, service: string | undefined) {
    super(message)
    this.service = service
  }
}

/**
 * Waits until every service serves and the API answers; calls `onChange` after each change. Returns false if the operator ended
 * the wait.
 * @throws DeploymentFailure if a service cannot start, or nothing changes for `patienceMs`.
 */
export async function waitUntilReady(
  input: WatchInput,
  onChange: (services: readonly ServiceStatus[]) => void = () => undefined,
): Promise<boolean> {
  const { look, client, terminal, patienceMs } = input
  let seen = ''
  let progress = ''
  let changedAtMs = performance.now()
  while (!terminal.signal.aborted) {
    const services = await look()
    const now = statesOf(services)
    if (now !== seen) onChange(services)
    seen = now
    const further = statesOf(services.filter((service) => !isCrashing(service)))
    if (further !== progress) changedAtMs = performance.now()
    progress = further
    const failed = services.find(({ state }) => state === 'failed')
    if (failed !== undefined) throw new DeploymentFailure(failed.lastError ?? 'it cannot start', failed.name)
    if (services.every(({ state }) => state === 'ready') && (!input.hasApi || (await apiAnswers(client)))) return true
    if (performance.now() - changedAtMs > patienceMs) throw standstill(services, patienceMs)
    await wait(pollMs, terminal.signal)
  }
  return false
}

function statesOf(services: readonly ServiceStatus[]): string {
  return JSON.stringify(services.map(({ name, state }) => [name, state]))
}

/** A service that crashes repeatedly changes its state without making progress. */
function isCrashing({ state, restarts }: ServiceStatus): boolean {
  return state === 'backing-off' || (state === 'starting' && restarts > 0)
}

/** The failure for a standstill, with the service that causes it. */
export function standstill(services: readonly ServiceStatus[], patienceMs: number): DeploymentFailure {
  const order = ['failed', 'backing-off', 'starting', 'waiting']
  const blamed = order.map((state) => services.find((service) => service.state === state)).find((found) => found)
  const seconds = Math.round(patienceMs / 1_000)
  if (blamed === undefined)
    return new DeploymentFailure(`no progress for ${seconds} s although every service serves`, undefined)
  const why = blamed.lastError === null ? '' : `: ${blamed.lastError}`
  return new DeploymentFailure(`no progress for ${seconds} s; it is ${blamed.state}${why}`, blamed.name)
}

/** Prints a failure with the last log lines of the service that caused it, and ends the command. */
export async function reportFailure(
  failure: DeploymentFailure,
  input: Pick<WatchInput, 'logDirectory' | 'terminal' | 'since'>,
): Promise<never> {
  const service = failure.service ?? 'predict'
  input.terminal.err(`error: ${failure.service ?? 'deployment'}: ${failure.message}`)
  const recent = await readLogs(input.logDirectory, [service], lastLines)
  const entries = recent.filter(({ entry }) => entry.time >= input.since)
  if (entries.length > 0) {
    input.terminal.err(`  the last lines of its log (all: crunch logs ${service}):`)
    for (const { entry } of entries) input.terminal.err(`  ${formatLogEntry(service, entry)}`)
  }
  throw new ReportedFailure(failure.message)
}

async function apiAnswers(client: ReportClient): Promise<boolean> {
  try {
    return (await client.health()).version !== undefined
  } catch (error) {
    if (error instanceof CliError) return false
    throw error
  }
}
