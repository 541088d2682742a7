import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { errorText, isExpectedError } from '@crunch/local-processes/errors'
import { inspectSubmission, type ModelEntry, parseModelsFile } from '@crunch/model-orchestrator'
import { CliError, describeError } from '../cli-error.ts'
import type { NodeSettings } from '../node-settings.ts'
import type { ModelActivityRow, ModelRow, ReportClient } from '../report-api/report-client.ts'
import type { Workspace } from '../workspace.ts'
import type { ModelFailure, OrchestratorClient, OrchestratorModel } from './orchestrator-client.ts'

/** The state of one model, combined from its entry, the orchestrator and the node. */
export interface ModelView {
  readonly id: string
  readonly name: string
  readonly cruncherName: string | null
  readonly language: string | null
  readonly desiredState: string | null
  /** `null` if the orchestrator does not answer. */
  readonly state: string | null
  readonly statusMessage: string | null
  readonly deploymentId: string | null
  readonly restarts: number | null
  readonly quarantined: boolean
  readonly lastFailure: ModelFailure | null
  readonly confinement: readonly string[]
  /** `null` if the node does not answer, or has never set up the model. */
  readonly activity: ModelActivityRow | null
  /** Why it has no rows, and since when; `null` if it takes part, or the node does not answer. */
  readonly retirement: { readonly since: string; readonly reason: string } | null
}

/** A model that is retired and no longer listed. */
export interface GoneModel {
  readonly id: string
  readonly since: string
  readonly reason: string
}

/** A service or file, and why it could not be read. */
export interface Source {
  readonly place: string
  readonly problem: string | null
}

export interface ModelsState {
  readonly orchestrator: Source
  readonly node: Source
  /** `null` if another orchestrator runs the models, because it does not use the file of this workspace. */
  readonly modelsFile: Source | null
  readonly models: readonly ModelView[]
  /** Models that are no longer listed, but still have a row in every round. */
  readonly unlistedIds: readonly string[]
  /** Retired models that are no longer listed. */
  readonly retired: readonly GoneModel[]
}

const states: Readonly<Record<string, string>> = {
  RUNNER_INITIALIZING: 'STARTING',
  RUNNER_RUNNING: 'RUNNING',
  RUNNER_STOPPING: 'STOPPING',
  RUNNER_STOPPED: 'STOPPED',
  RUNNER_FAILED: 'FAILED',
  BUILDER_BUILDING: 'BUILDING',
  BUILDER_FAILED: 'BUILD FAILED',
  BUILDER_SUCCESS: 'BUILT',
}

/**
 * Reads the models file, the orchestrator and the node concurrently; the data of one that fails is missing. Ids belong to one
 * orchestrator, so the files of this workspace are used only if its own orchestrator runs the models.
 */
export async function readModelsState(input: {
  readonly workspace: Workspace
  readonly settings: Pick<NodeSettings, 'crunchId' | 'runsModelsHere'>
  readonly orchestrator: OrchestratorClient
  readonly node: ReportClient
}): Promise<ModelsState> {
  const { workspace, orchestrator, node } = input
  const { crunchId, runsModelsHere } = input.settings
  const [entries, running, activity, known] = await Promise.all([
    attempt(async () => (runsModelsHere ? readEntries(workspace, crunchId) : [])),
    attempt(() => orchestrator.models(crunchId)),
    attempt(() => node.modelActivity()),
    attempt(() => node.models()),
  ])
  const retirements = retirementsOf(known.value ?? [])
  const ids = new Set([...(running.value ?? []), ...(entries.value ?? [])].map(({ id }) => id))
  const rows = activity.value ?? []
  // If neither the file nor the orchestrator can be read, the list is taken from the node.
  const areUnlisted = running.value === undefined && (entries.value === undefined || !runsModelsHere)
  if (areUnlisted) {
    for (const { model_id } of rows) ids.add(model_id)
  }
  const models = [...ids].map((id) =>
    viewOf(workspace, {
      id,
      entry: entries.value?.find((entry) => entry.id === id),
      running: running.value?.find((model) => model.id === id),
      activity: rows.findLast((row) => listedIdOf(row.model_id) === id) ?? null,
      retirement:
        retirements.get(known.value?.findLast((row) => listedIdOf(row.model_id) === id)?.model_id ?? id) ?? null,
    }),
  )
  return {
    orchestrator: { place: orchestrator.url, problem: running.problem },
    node: { place: node.url, problem: activity.problem },
    modelsFile: runsModelsHere ? { place: workspace.modelsFile, problem: entries.problem } : null,
    models: await Promise.all(models),
    unlistedIds: rows.map(({ model_id }) => model_id).filter((id) => !ids.has(listedIdOf(id)) && !retirements.has(id)),
    retired: [...retirements].filter(([id]) => !ids.has(id)).map(([id, retirement]) => ({ id, ...retirement })),
  }
}

/**
 * The entries of the models file that belong to the competition.
 * @throws OrchestratorError MODELS_FILE_INVALID; CliError if the file cannot be read.
 */
export function readEntries({ modelsFile: path }: Workspace, crunchId: string): readonly ModelEntry[] {
  let text: string
  try {
    text = readFileSync(path, 'utf8')
  } catch (error) {
    const cause = `it cannot be read (${errorText(error)})`
    throw new CliError({ place: path, cause, fix: 'restore it from the template, or write: models: []' })
  }
  return parseModelsFile({ path, text, crunchId }).entries
}

async function viewOf(
  workspace: Workspace,
  known: {
    readonly id: string
    readonly entry: ModelEntry | undefined
    readonly running: OrchestratorModel | undefined
    readonly activity: ModelActivityRow | null
    readonly retirement: ModelView['retirement']
  },
): Promise<ModelView> {
  const { id, entry, running, activity, retirement } = known
  return {
    id,
    name: running?.name ?? entry?.infos.model_name ?? entry?.submissionId ?? activity?.model_name ?? id,
    cruncherName: running?.cruncherName ?? entry?.infos.cruncher_name ?? null,
    language: running?.language ?? (await languageOf(workspace, entry)),
    desiredState: running?.desiredState ?? entry?.desiredState ?? null,
    state: running === undefined ? null : stateOf(running),
    statusMessage: running?.statusMessage ?? null,
    deploymentId: running?.deploymentId ?? null,
    restarts: running?.restarts ?? null,
    quarantined: running?.quarantined ?? false,
    lastFailure: running?.lastFailure ?? null,
    confinement: running?.confinement ?? [],
    activity,
    retirement,
  }
}

/** The node stores the second history of an id as `id~2`, which is sorted after the first. */
function listedIdOf(historyId: string): string {
  return historyId.replace(/~\d+$/, '')
}

function retirementsOf(rows: readonly ModelRow[]): ReadonlyMap<string, NonNullable<ModelView['retirement']>> {
  return new Map(
    rows.flatMap(({ model_id, retired_at, retirement_reason }) =>
      retired_at ? [[model_id, { since: retired_at, reason: retirement_reason ?? '' }] as const] : [],
    ),
  )
}

/** The state of a model in one word, such as RUNNING or QUARANTINED. */
export function stateOf({ quarantined, status }: OrchestratorModel): string {
  return quarantined ? 'QUARANTINED' : (states[status] ?? status)
}

/** `null` for a submission that cannot run; `crunch check` reports the reason. */
async function languageOf(workspace: Workspace, entry: ModelEntry | undefined): Promise<string | null> {
  if (entry === undefined) return null
  const inspected = await attempt(() => inspectSubmission(join(workspace.submissionsDirectory, entry.submissionId)))
  return inspected.value?.language ?? null
}

async function attempt<Value>(
  action: () => Promise<Value>,
): Promise<{ readonly value: Value | undefined; readonly problem: string | null }> {
  try {
    return { value: await action(), problem: null }
  } catch (error) {
    if (!isExpectedError(error)) throw error
    return { value: undefined, problem: describeError(error, false) }
  }
}
