import type { NodeSettings } from '../node-settings.ts'
import type { ReportClient } from '../report-api/report-client.ts'
import type { Workspace } from '../workspace.ts'
import type { OrchestratorClient } from './orchestrator-client.ts'

/** The workspace, settings and clients that every command about models needs. */
export interface OpenedModels {
  readonly workspace: Workspace
  readonly settings: NodeSettings
  readonly orchestrator: OrchestratorClient
  readonly node: ReportClient
  /** Whether `crunch deploy` runs in this workspace. */
  readonly isDeployed: boolean
}
