import { errorText } from '@crunch/local-processes/errors'
import { orchestratorKeyFileIn, readOrchestratorKey } from '@crunch/model-orchestrator'
import { CliError } from '../cli-error.ts'
import { readNodeEnvironment } from '../read-environment.ts'
import { openReportClient } from '../report-api/open-report-client.ts'
import { readLiveSupervisor } from '../supervisor/supervisor-record.ts'
import type { Terminal } from '../terminal/terminal.ts'
import { findWorkspace, modelLogsDirectory, type Workspace } from '../workspace.ts'
import type { OpenedModels } from './opened-models.ts'
import { OrchestratorClient, orchestratorUrl } from './orchestrator-client.ts'

/** Opens the workspace, its settings and the clients. Throws SETTINGS_INVALID; CliError outside of a workspace. */
export async function openModels(terminal: Terminal): Promise<OpenedModels> {
  const workspace = findWorkspace(terminal.cwd)
  const { readNodeSettings } = await import('../engine.ts')
  const settings = readNodeSettings(readNodeEnvironment(workspace.nodeDirectory, terminal.env))
  const record = await readLiveSupervisor(workspace.stateDirectory)
  const url = record?.modelsUrl ?? orchestratorUrl(settings)
  return {
    workspace,
    settings,
    orchestrator: new OrchestratorClient(
      url,
      settings.apiKey ?? (settings.runsModelsHere ? keyOfWorkspace(workspace) : undefined),
    ),
    node: await openReportClient(workspace, terminal),
    isDeployed: record !== undefined,
  }
}

/** The key that the orchestrator of this workspace creates at its first start. */
function keyOfWorkspace(workspace: Workspace): string | undefined {
  const path = orchestratorKeyFileIn(modelLogsDirectory(workspace))
  try {
    return readOrchestratorKey(path)
  } catch (error) {
    const cause = `the key of the model orchestrator cannot be read (${errorText(error)})`
    throw new CliError({
      place: path,
      cause,
      fix: 'run the command as the user who runs crunch deploy, or set API_KEY',
    })
  }
}
