import { openReportClient } from '../commands/open-report-client.ts'
import type { NodeSettings } from '../node-settings.ts'
import { readEnvironment } from '../read-environment.ts'
import type { ReportClient } from '../report-client.ts'
import { readLiveSupervisor } from '../supervisor/supervisor-record.ts'
import type { Terminal } from '../terminal.ts'
import { findWorkspace, type Workspace } from '../workspace.ts'
import { OrchestratorClient, orchestratorUrl } from './orchestrator-client.ts'

/** What every command about models works on. */
export interface OpenedModels {
  readonly workspace: Workspace
  readonly settings: NodeSettings
  readonly orchestrator: OrchestratorClient
  readonly node: ReportClient
  /** Whether `crunch deploy` runs in this workspace. */
  readonly isDeployed: boolean
}

/** Finds the workspace, its settings and who to ask. Throws SETTINGS_INVALID; CliError outside of a workspace. */
export async function openModels(terminal: Terminal): Promise<OpenedModels> {
  const workspace = findWorkspace(terminal.cwd)
  const { readNodeSettings } = await import('../engine.ts')
  const settings = readNodeSettings(readEnvironment(workspace.nodeDirectory, terminal.env))
  const record = await readLiveSupervisor(workspace.stateDirectory)
  const url = record?.modelsUrl ?? orchestratorUrl(settings)
  return {
    workspace,
    settings,
    orchestrator: new OrchestratorClient(url, settings.apiKey),
    node: await openReportClient(workspace, terminal),
    isDeployed: record !== undefined,
  }
}
