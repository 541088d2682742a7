import { join } from 'node:path'
import { CliError, ReportedFailure } from '../cli-error.ts'
import { recordingWarnings, roundsPerMs } from '../engine.ts'
import { orchestratorUrl } from '../models/orchestrator-client.ts'
import type { NodeSettings } from '../node-settings.ts'
import { readEnvironment, readNodeEnvironment } from '../read-environment.ts'
import { endLeftovers } from '../supervisor/pid-files.ts'
import type { SupervisorOptions } from '../supervisor/supervisor.ts'
import { devMode, readLiveSupervisor, replayMode } from '../supervisor/supervisor-record.ts'
import type { Terminal } from '../terminal/terminal.ts'
import { findWorkspace, type Workspace } from '../workspace.ts'
import { checkWorkspace, formatFinding } from './check-workspace.ts'
import { type DeployRequest, planReplay, watchableSpeed } from './deployment-plan.ts'
import type { DevInput } from './dev-environment.ts'
import { prepareReplayDatabase } from './replay-database.ts'
import { deploymentServices, devServices, type ReplayRun } from './services.ts'
import { stopDatabases } from './workspace-databases.ts'

/** A checked deployment that can be started. */
export interface PreparedDeployment {
  readonly workspace: Workspace
  readonly settings: Pick<NodeSettings, 'apiKey' | 'pagePort' | 'runsModelsHere'>
  readonly supervisor: SupervisorOptions
  readonly apiUrl: string
  readonly replay: ReplayRun | undefined
  /** The orchestrator that runs the models, if the deployment does not start one. */
  readonly otherOrchestrator: { readonly host: string; readonly port: number } | null
  /** The environment of workers that the operator starts; undefined if the deployment starts them. */
  readonly dev: DevInput | undefined
}

/**
 * Checks everything that a deployment needs, before anything is started or removed. Only processes that a killed supervisor left
 * are ended first.
 * @throws CliError for contradictory options; ReportedFailure after all findings have been printed.
 */
export async function prepareDeployment(
  request: DeployRequest & { readonly newEra?: boolean },
  terminal: Terminal,
): Promise<PreparedDeployment> {
  const workspace = findWorkspace(terminal.cwd)
  const plan = planReplay(request, workspace, terminal.cwd)
  // These processes may use our ports, and would be reported as foreign programs.
  await endLeftoversOfKilled(workspace, terminal)
  const { settings, contract, findings, warnings, unreadKeys } = await checkWorkspace(workspace, terminal.env, {
    ports: true,
    purpose: plan === undefined ? 'live' : 'replay',
    newEra: request.newEra === true,
  })
  for (const warning of [...warnings, ...unreadKeys]) terminal.err(`warning: ${formatFinding(warning)}`)
  if (findings.length > 0 || settings === undefined || contract === undefined) {
    for (const finding of findings) terminal.err(`error: ${formatFinding(finding)}`)
    terminal.err('Nothing was started.')
    throw new ReportedFailure('the workspace cannot be deployed')
  }
  const ofRecordings = plan === undefined ? [] : await recordingWarnings(contract, plan.files, terminal.signal)
  for (const warning of ofRecordings) terminal.err(`warning: ${warning}`)
  const speed = plan?.speed ?? settings.replaySpeed ?? watchableSpeed(roundsPerMs(contract))
  const replay = plan && { files: plan.files, speed }
  const apiUrl = `http://127.0.0.1:${settings.apiPort}`
  const all = deploymentServices({
    workspace,
    settings,
    replay,
    environment: () => readEnvironment(workspace.nodeDirectory, terminal.env),
  })
  const { modelRunnerHost: host, modelRunnerPort: port } = settings
  const services = request.dev === true ? all.filter(({ name }) => devServices.includes(name)) : all
  if (services.length === 0) {
    const cause = 'the settings name a database and a model orchestrator elsewhere, so there is nothing to start'
    throw new CliError({ place: 'crunch deploy dev', cause, fix: 'start the workers: crunch-worker --help' })
  }
  const environment = readNodeEnvironment(workspace.nodeDirectory, terminal.env)
  return {
    workspace,
    settings,
    apiUrl,
    replay,
    otherOrchestrator: settings.runsModelsHere ? null : { host, port },
    dev: request.dev === true ? { workspace, settings, environment } : undefined,
    supervisor: {
      stateDirectory: workspace.stateDirectory,
      services,
      apiUrl,
      modelsUrl: settings.runsModelsHere ? orchestratorUrl(settings) : null,
      endRest: () => stopDatabases(workspace),
      mode: request.dev === true ? devMode : replay === undefined ? 'live' : replayMode(replay.files),
      ...(plan === undefined ? {} : { prepare: () => prepareReplayDatabase(workspace, plan) }),
    },
  }
}

async function endLeftoversOfKilled({ stateDirectory }: Workspace, terminal: Terminal): Promise<void> {
  const isSupervised = async () => (await readLiveSupervisor(stateDirectory)) !== undefined
  for (const { service, pid } of await endLeftovers(join(stateDirectory, 'pids'), isSupervised)) {
    terminal.err(`Ended processes of a killed supervisor: ${service} (process ${pid})`)
  }
}
