import { join } from 'node:path'
import { systemErrorCode } from '@crunch/local-processes'
import { isExpectedError } from '@crunch/local-processes/errors'
import { type CliProblem, describeError, formatProblem } from '../cli-error.ts'
import { embeddedDatabase } from '../embedded-database.ts'
import {
  type AnyContract,
  checkDatabase,
  knownLiveSources,
  loadNodeContract,
  nearestName,
  readNodeSettings,
  sourcesWithoutLive,
  unreadKeys,
} from '../engine.ts'
import type { NodeSettings } from '../node-settings.ts'
import { type Environment, environmentFiles, type NodeEnvironment, readNodeEnvironment } from '../read-environment.ts'
import type { Workspace } from '../workspace.ts'
import { modelProblems } from './check-models.ts'
import { checkStoredContract } from './check-stored-contract.ts'
import { portState } from './port-holder.ts'
import { liveDatabaseDirectory } from './workspace-databases.ts'

/** A problem of a workspace. `text` replaces cause and fix if one error message contains several findings. */
export type WorkspaceFinding = CliProblem | { readonly place: string; readonly text: string }

/** The result of checking a workspace. Parts that cannot be read are undefined, and cause a finding. */
export interface WorkspaceReport {
  readonly settings: NodeSettings | undefined
  readonly contract: AnyContract | undefined
  /** Problems that prevent a deployment. */
  readonly findings: readonly WorkspaceFinding[]
  /** Problems of individual models; the others run. */
  readonly warnings: readonly WorkspaceFinding[]
  /** Unused keys of the settings files. They may belong to another program. */
  readonly unreadKeys: readonly CliProblem[]
  /** Remarks that are not problems. */
  readonly notes: readonly string[]
}

export interface CheckOptions {
  /** False while the workspace's own deployment uses the ports. */
  readonly ports: boolean
  /**
   * The reason for the check. A replay has its own database and needs no live source. `look` (`crunch check`) also accepts a
   * competition that can only replay.
   */
  readonly purpose: 'live' | 'replay' | 'look'
  /** True with `--new-era`: the contract may differ from the one in the database. */
  readonly newEra?: boolean
}

/** Checks settings, contract, models, ports and database, and reports all problems at once. */
export async function checkWorkspace(
  workspace: Workspace,
  processEnvironment: Readonly<Record<string, string | undefined>>,
  options: CheckOptions,
): Promise<WorkspaceReport> {
  const files = environmentFiles.join(', ')
  const environment = await attempt(files, () => readNodeEnvironment(workspace.nodeDirectory, processEnvironment))
  const settings =
    'value' in environment ? await attempt(files, () => readNodeSettings(environment.value)) : environment
  const values = 'value' in environment ? environment.value.values : {}
  // If the settings are invalid, the contract is still checked, with default settings.
  const contract = await attempt(workspace.contractPath, () =>
    loadNodeContract(workspace.contractPath, 'value' in settings ? values : {}),
  )
  const findings = [settings, contract].flatMap((result) => ('finding' in result ? [result.finding] : []))
  const misspelt =
    'value' in environment && 'value' in contract ? misspeltSource(environment.value, contract.value) : undefined
  if (misspelt !== undefined) findings.push(misspelt)
  const warnings: WorkspaceFinding[] = []
  const notes: string[] = []
  if ('value' in settings) {
    findings.push(...(await checkSurroundings(workspace, settings.value, options)))
    const database = await checkDatabaseOf(workspace, settings.value, options)
    findings.push(...database.findings)
    // With a misspelt source, all feeds would seem to have changed.
    if ('value' in contract && database.comparesContract && misspelt === undefined) {
      const stored = await compareContract(workspace, settings.value, contract.value)
      findings.push(...stored.findings)
      notes.push(...stored.notes)
    }
    const models = settings.value.runsModelsHere
      ? await checkModels(workspace, settings.value, 'value' in contract ? contract.value : undefined, values)
      : undefined
    findings.push(...(models?.findings ?? []))
    warnings.push(...(models?.warnings ?? []))
  }
  const noLive =
    'value' in contract && misspelt === undefined ? missingLiveSources(workspace, contract.value) : undefined
  if (noLive !== undefined && options.purpose === 'live') findings.push(noLive)
  if (noLive !== undefined && options.purpose === 'look') notes.push(`It can only replay: ${noLive.cause}.`)
  return {
    warnings,
    unreadKeys: 'value' in environment ? describeUnread(environment.value) : [],
    notes,
    settings: 'value' in settings ? settings.value : undefined,
    contract: 'value' in contract ? contract.value : undefined,
    findings,
  }
}

function describeUnread(environment: NodeEnvironment): readonly CliProblem[] {
  return unreadKeys(environment).map((key) => ({
    place: environment.places.get(key) ?? key,
    cause: `${key} is unused: it is not a setting, and the code in node/ and challenge/ does not contain it`,
    fix: 'remove the line',
  }))
}

/** `FEED_SOURCE` replaces the source of the contract's feeds, so a typo in it looks like a source that can only be replayed. */
function misspeltSource({ values, places }: NodeEnvironment, contract: AnyContract): CliProblem | undefined {
  const source = values.FEED_SOURCE
  if (source === undefined || !sourcesWithoutLive(contract).includes(source)) return undefined
  const nearest = nearestName(source, knownLiveSources)
  if (nearest === undefined) return undefined
  return {
    place: places.get('FEED_SOURCE') ?? 'FEED_SOURCE',
    cause: `FEED_SOURCE: there is no live source "${source}"`,
    fix: `did you mean ${nearest}?`,
  }
}

function missingLiveSources(workspace: Workspace, contract: AnyContract): CliProblem | undefined {
  const missing = sourcesWithoutLive(contract).map((source) => JSON.stringify(source))
  if (missing.length === 0) return undefined
  return {
    place: `${workspace.contractPath} (feed) or FEED_SOURCE`,
    cause: `there is no live source ${missing.join(', ')}; the available sources are ${knownLiveSources.join(', ')}`,
    fix: 'run it on a recording with: crunch deploy --replay FILE',
  }
}

async function checkSurroundings(
  workspace: Workspace,
  settings: NodeSettings,
  options: CheckOptions,
): Promise<readonly WorkspaceFinding[]> {
  const ports = usedPorts(settings)
  const findings = await Promise.all([
    ...(options.ports ? ports.map(({ setting, port }) => checkPort(workspace, setting, port)) : []),
    checkSamePort(ports),
    checkReplaySetting(settings),
  ])
  return findings.flat()
}

async function checkPort(workspace: Workspace, setting: string, port: number): Promise<readonly WorkspaceFinding[]> {
  const state = await portState(port)
  if (state.state === 'free') return []
  const fix = `choose another port with ${setting}=... in ${join(workspace.nodeDirectory, '.local.env')}`
  if (state.state === 'forbidden') {
    return [{ place: `port ${port} (${setting})`, cause: `this user may not listen on it (${state.reason})`, fix }]
  }
  return [
    {
      place: `port ${port} (${setting})`,
      cause: `it is in use by ${state.holder}`,
      fix: `end that program, or ${fix}`,
    },
  ]
}

interface UsedPort {
  readonly setting: string
  readonly port: number
}

function usedPorts(settings: NodeSettings): readonly UsedPort[] {
  const { apiPort, pagePort, modelRunnerPort, orchestratorPort, runsModelsHere } = settings
  const orchestrator = [
    { setting: 'MODEL_RUNNER_NODE_PORT', port: modelRunnerPort },
    { setting: 'MODEL_ORCHESTRATOR_HTTP_PORT', port: orchestratorPort },
  ]
  const api = { setting: 'REPORT_API_PORT', port: apiPort }
  const page = pagePort === undefined ? [] : [{ setting: 'REPORT_UI_PORT', port: pagePort }]
  return [api, ...page, ...(runsModelsHere ? orchestrator : [])]
}

function checkSamePort(ports: readonly UsedPort[]): readonly WorkspaceFinding[] {
  const shared = [...new Set(ports.map(({ port }) => port))]
    .map((port) => ({ port, settings: ports.filter((used) => used.port === port).map(({ setting }) => setting) }))
    .filter(({ settings }) => settings.length > 1)
  return shared.map(({ port, settings }) => {
    const cause = `${settings.length === 2 ? 'both' : 'all'} are ${port}`
    return { place: settings.join(', '), cause, fix: 'use a different port for each' }
  })
}

function checkReplaySetting(settings: NodeSettings): readonly WorkspaceFinding[] {
  if (!settings.replaysBySetting) return []
  const cause = 'it would replay a recording into the database of live data'
  return [{ place: 'FEED_REPLAY_FILES', cause, fix: 'remove the setting and use: crunch deploy --replay FILE' }]
}

/** Checks the database server of the settings or, without one, the embedded server. The data of a replay are recreated. */
async function checkDatabaseOf(
  workspace: Workspace,
  { databaseUrl, databasePlace }: NodeSettings,
  { purpose, newEra }: CheckOptions,
): Promise<{ readonly findings: readonly WorkspaceFinding[]; readonly comparesContract: boolean }> {
  const isReplay = purpose === 'replay'
  const checked = await attempt('the database (DATABASE_URL or POSTGRES_HOST)', () =>
    databaseUrl === undefined || isReplay
      ? embeddedDatabase.check(liveDatabaseDirectory(workspace), { anyVersion: isReplay })
      : checkDatabase(databaseUrl),
  )
  if ('finding' in checked) {
    const { finding } = checked
    const isSet = databaseUrl !== undefined && !isReplay && 'text' in finding
    const placed = isSet ? { ...finding, text: `${databasePlace}: ${finding.text}` } : finding
    return { findings: [placed], comparesContract: false }
  }
  return { findings: [], comparesContract: !isReplay && newEra !== true }
}

async function compareContract(
  workspace: Workspace,
  settings: NodeSettings,
  contract: AnyContract,
): Promise<Pick<WorkspaceReport, 'findings' | 'notes'>> {
  const compared = await attempt('the contract in the database', () =>
    checkStoredContract(workspace, settings, contract),
  )
  return 'finding' in compared ? { findings: [compared.finding], notes: [] } : compared.value
}

async function checkModels(
  workspace: Workspace,
  settings: NodeSettings,
  contract: AnyContract | undefined,
  environment: Environment,
): Promise<Pick<WorkspaceReport, 'findings' | 'warnings'>> {
  const checked = await attempt(workspace.modelsFile, () => modelProblems(workspace, settings, contract, environment))
  return 'finding' in checked
    ? { findings: [checked.finding], warnings: [] }
    : { findings: [], warnings: checked.value }
}

/** Turns an expected error into a finding; rethrows any other error. */
async function attempt<Value>(
  place: string,
  action: () => Value | Promise<Value>,
): Promise<{ readonly value: Value } | { readonly finding: WorkspaceFinding }> {
  try {
    return { value: await action() }
  } catch (error) {
    if (systemErrorCode(error) === 'ENOENT') {
      return {
        finding: { place, cause: 'there is no such file', fix: 'restore it from the template of the workspace' },
      }
    }
    if (!isExpectedError(error)) throw error
    return { finding: { place, text: describeError(error, false) } }
  }
}

export function formatFinding(finding: WorkspaceFinding): string {
  if ('text' in finding) return finding.text
  return formatProblem(finding)
}
