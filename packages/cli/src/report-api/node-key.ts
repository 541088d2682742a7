import { systemErrorCode } from '@crunch/local-processes'
import { orchestratorKeyFileIn, readOrchestratorKey } from '@crunch/model-orchestrator'
import type { NodeSettings } from '../node-settings.ts'
import { modelLogsDirectory, type Workspace } from '../workspace.ts'

/**
 * The key by which a deployment of this workspace knows its commands: `API_KEY`, or the key of its orchestrator. `undefined`: a
 * command sees what the public sees. Read anew for each use, since the orchestrator creates its key when it starts.
 */
export function nodeKey(
  workspace: Workspace,
  settings: Pick<NodeSettings, 'apiKey' | 'runsModelsHere'>,
): string | undefined {
  if (settings.apiKey !== undefined || !settings.runsModelsHere) return settings.apiKey
  try {
    return readOrchestratorKey(orchestratorKeyFileIn(modelLogsDirectory(workspace)))
  } catch (error) {
    // Another user of this machine, who may not read the key.
    if (systemErrorCode(error) === 'EACCES') return undefined
    throw error
  }
}
