import { join } from 'node:path'
import { setTimeout } from 'node:timers/promises'
import { processIdentity } from '@crunch/local-processes'
import { CliError } from '../cli-error.ts'
import { stopDatabases } from '../deploy/workspace-databases.ts'
import { askSupervisor } from '../supervisor/control.ts'
import { endLeftovers } from '../supervisor/pid-files.ts'
import { readLiveSupervisor, type SupervisorRecord } from '../supervisor/supervisor-record.ts'
import type { Terminal } from '../terminal/terminal.ts'
import { findWorkspace, type Workspace } from '../workspace.ts'

/** Two levels of services with a grace period of 5 s each, 20 s for the database, and the same again for surviving processes. */
const downLimitMs = 60_000
const restartLimitMs = 45_000

/** Ends a deployment and all its processes, including those that a killed supervisor left. */
export async function down(terminal: Terminal): Promise<void> {
  const workspace = findWorkspace(terminal.cwd)
  const record = await readLiveSupervisor(workspace.stateDirectory)
  if (record === undefined) {
    const names = await endWithoutSupervisor(workspace)
    terminal.out(names === '' ? 'Nothing runs here.' : `Ended processes of a killed supervisor: ${names}`)
    return
  }
  await askSupervisor(record.socketPath, { command: 'down' })
  const deadlineMs = performance.now() + downLimitMs
  // The supervisor removes its record just before its process ends.
  while (processIdentity(record.pid) === record.identity) {
    if (performance.now() > deadlineMs) throw stillRuns(record)
    await setTimeout(50)
  }
  // If the supervisor was killed during the stop, it has not ended these processes.
  await endWithoutSupervisor(workspace)
  terminal.out('Every process of the deployment has ended.')
}

/** Ends the processes that a dead supervisor left, and returns their names as text. */
async function endWithoutSupervisor(workspace: Workspace): Promise<string> {
  const isSupervised = async () => (await readLiveSupervisor(workspace.stateDirectory)) !== undefined
  const leftovers = await endLeftovers(join(workspace.stateDirectory, 'pids'), isSupervised)
  const databases = (await isSupervised()) ? [] : await stopDatabases(workspace)
  return [...leftovers, ...databases].map(({ service, pid }) => `${service} (process ${pid})`).join(', ')
}

/** Restarts a service, or all services in the order of their dependencies. */
export async function restart(service: string | undefined, terminal: Terminal): Promise<void> {
  const record = await requireSupervisor(findWorkspace(terminal.cwd))
  const request = service === undefined ? ({ command: 'restart' } as const) : ({ command: 'restart', service } as const)
  await askSupervisor(record.socketPath, request, restartLimitMs)
  terminal.out(`${service ?? 'Every service'} is restarting; see crunch status`)
}

/** @throws CliError when the workspace is not deployed. */
export async function requireSupervisor(workspace: Workspace): Promise<SupervisorRecord> {
  const record = await readLiveSupervisor(workspace.stateDirectory)
  if (record !== undefined) return record
  throw new CliError({
    place: workspace.nodeDirectory,
    cause: 'this workspace is not deployed',
    fix: 'start it with: crunch deploy',
  })
}

function stillRuns(record: SupervisorRecord): CliError {
  return new CliError({
    place: 'crunch down',
    cause: `the supervisor (process ${record.pid}) still runs after ${downLimitMs / 1_000} s`,
    fix: `kill it with: kill -9 ${record.pid}, then run crunch down again to stop the remaining processes`,
  })
}
