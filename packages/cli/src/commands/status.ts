import { readNodeEnvironment } from '../read-environment.ts'
import { openReportClient } from '../report-api/open-report-client.ts'
import { askSupervisor, type SupervisorStatus } from '../supervisor/control.ts'
import type { ServiceStatus } from '../supervisor/service-definition.ts'
import { devMode, readLiveSupervisor, replayMode } from '../supervisor/supervisor-record.ts'
import { formatTable } from '../tables.ts'
import type { Terminal } from '../terminal/terminal.ts'
import { findWorkspace, type Workspace } from '../workspace.ts'
import { describeNode, isDatabaseDown, type NodeState, readNode } from './node-state.ts'

/** Maximum length of an error in the table, in characters. */
const shownError = 80

/** Shows the processes of a deployment and, if its API answers, health, feeds, models and ranks. */
export async function status(options: { readonly json: boolean }, terminal: Terminal): Promise<void> {
  const workspace = findWorkspace(terminal.cwd)
  const record = await readLiveSupervisor(workspace.stateDirectory)
  if (record === undefined) {
    terminal.out(options.json ? JSON.stringify({ deployed: false }) : 'Not deployed. Start it with: crunch deploy')
    return
  }
  const supervisor = await askSupervisor(record.socketPath, { command: 'status' })
  const node = await readNode(await openReportClient(workspace, terminal))
  const isDev = record.mode === devMode
  if (options.json) terminal.out(JSON.stringify({ deployed: true, ...supervisor, node }))
  else
    terminal.out(
      [
        describeSupervisor(supervisor),
        servicesTable(supervisor.services),
        ...wholeErrors(supervisor.services),
        ...describeNode(node, { isDev, databasePlace: await databasePlace(node, workspace, terminal) }),
      ].join('\n'),
    )
}

/** Where the address of the database is set, if the database does not answer; else, and for the embedded one, `undefined`. */
async function databasePlace(node: NodeState, workspace: Workspace, terminal: Terminal): Promise<string | undefined> {
  const record = await readLiveSupervisor(workspace.stateDirectory)
  if (!isDatabaseDown(node) || record?.mode.startsWith(replayMode([])) === true) return undefined
  const { readNodeSettings } = await import('../engine.ts')
  const settings = readNodeSettings(readNodeEnvironment(workspace.nodeDirectory, terminal.env))
  return settings.databaseUrl === undefined ? undefined : settings.databasePlace
}

function describeSupervisor({ mode, pid, startedAt, apiUrl, modelsUrl }: SupervisorStatus): string {
  return `${mode}, supervisor ${pid}, up ${formatAge(Date.now() - startedAt)}, page and API ${apiUrl}${modelsUrl === null ? '' : `, models ${modelsUrl}`}`
}

function servicesTable(services: readonly ServiceStatus[]): string {
  return formatTable(
    ['service', 'state', 'pid', 'uptime', 'restarts', 'last error'],
    services.map(({ name, state, pid, startedAt, restarts, lastError, lastEvent }) => [
      name,
      lastEvent === 'standing-by' && state === 'ready' ? 'standing by' : state,
      pid === null ? '' : String(pid),
      pid === null || startedAt === null ? '' : formatAge(Date.now() - startedAt),
      String(restarts),
      firstLine(lastError).slice(0, shownError),
    ]),
  )
}

/** The full errors that the table truncates, of services that do not serve. The fix is at the end of an error. */
function wholeErrors(services: readonly ServiceStatus[]): readonly string[] {
  return services
    .filter(({ state, lastError }) => state !== 'ready' && firstLine(lastError).length > shownError)
    .map(({ name, lastError }) => `  ${name}: ${lastError}`)
}

const firstLine = (text: string | null): string => (text ?? '').split('\n')[0] ?? ''

function formatAge(ageMs: number): string {
  const seconds = Math.max(0, Math.floor(ageMs / 1_000))
  const parts: readonly (readonly [number, string])[] = [
    [Math.floor(seconds / 86_400), 'd'],
    [Math.floor(seconds / 3_600) % 24, 'h'],
    [Math.floor(seconds / 60) % 60, 'm'],
    [seconds % 60, 's'],
  ]
  const first = parts.findIndex(([count]) => count > 0)
  if (first < 0) return '0s'
  return parts
    .slice(first, first + 2)
    .map(([count, unit]) => `${count}${unit}`)
    .join(' ')
}
