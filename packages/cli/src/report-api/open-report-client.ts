import { readNodeEnvironment } from '../read-environment.ts'
import { readLiveSupervisor, replayMode } from '../supervisor/supervisor-record.ts'
import type { Terminal } from '../terminal/terminal.ts'
import type { Workspace } from '../workspace.ts'
import { nodeKey } from './node-key.ts'
import { ReportClient } from './report-client.ts'

/** A client for the running deployment, or else for a node that was started by other means with the same settings. */
export async function openReportClient(workspace: Workspace, terminal: Terminal): Promise<ReportClient> {
  const record = await readLiveSupervisor(workspace.stateDirectory)
  const environment = readNodeEnvironment(workspace.nodeDirectory, terminal.env)
  const { readNodeSettings } = await import('../engine.ts')
  const settings = readNodeSettings(environment)
  if (record !== undefined) return new ReportClient(record.apiUrl, () => nodeKey(workspace, settings))
  // Only a deployment of this workspace knows the key of its orchestrator.
  return new ReportClient(`http://127.0.0.1:${settings.apiPort}`, () => settings.apiKey)
}

/** Whether the running deployment of a workspace replays recordings. */
export async function replaysNow({ stateDirectory }: Workspace): Promise<boolean> {
  const record = await readLiveSupervisor(stateDirectory)
  return record?.mode.startsWith(replayMode([])) === true
}
