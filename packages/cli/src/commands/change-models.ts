import { resolve } from 'node:path'
import { printable, wait } from '@crunch/local-processes'
import { isExpectedError } from '@crunch/local-processes/errors'
import {
  addSubmission,
  endQuarantine,
  type OrchestratorLog,
  removeModel,
  setDesiredState,
  sourceName,
  toModelName,
} from '@crunch/model-orchestrator'
import { CliError, ReportedFailure } from '../cli-error.ts'
import { type AwaitedModel, awaitModel, type ModelPast } from '../models/await-model.ts'
import { findModel } from '../models/find-model.ts'
import { listedModels, requireModelsHere } from '../models/local-models.ts'
import { openModels } from '../models/open-models.ts'
import type { OpenedModels } from '../models/opened-models.ts'
import type { OrchestratorModel } from '../models/orchestrator-client.ts'
import { formatRunLine, readRunLog } from '../models/run-logs.ts'
import { asksForReplacement } from '../models/same-model.ts'
import { readEnvironment } from '../read-environment.ts'
import type { Terminal } from '../terminal/terminal.ts'
import { modelLogsDirectory } from '../workspace.ts'

/** Enough log lines to show why a start failed. */
const lastLines = 15
/** The orchestrator reads the models file every second. */
const noticeLimitMs = 10_000

export interface AddModelOptions {
  /** A folder or a notebook, from the current folder. */
  readonly source: string
  readonly name: string | undefined
  readonly cruncher: string | undefined
  /** The model belongs to the organizer, e.g. a baseline. */
  readonly organizer: boolean
  /** Replaces the code of the model with that name instead of adding a model. */
  readonly replace: boolean
  /** Adds a model even if the cruncher already has one of that name. */
  readonly another: boolean
  /** Maximum time to wait until the model serves, in milliseconds; 0 does not wait. */
  readonly waitMs: number
}

/** Copies a submission and adds its entry. If the competition is deployed, waits until the model serves or has failed. */
export async function addModel(options: AddModelOptions, terminal: Terminal): Promise<void> {
  const opened = await openModels(terminal)
  requireModelsHere(opened)
  const source = resolve(terminal.cwd, options.source)
  const name = toModelName(options.name ?? sourceName(source), source)
  await requireFreeName({ ...options, name }, opened, terminal)
  const organizerId = opened.settings.organizerId
  const cruncherName = options.cruncher ?? (options.organizer ? organizerId : 'local-dev')
  const isAnswered = options.replace || options.another
  const replace =
    options.replace ||
    (!isAnswered && (await asksForReplacement({ source, name, cruncherName }, listedModels(opened), terminal)))
  const before = await knownToOrchestrator(opened)
  const added = await addSubmission({
    source,
    submissionsDirectory: opened.workspace.submissionsDirectory,
    modelsFile: opened.workspace.modelsFile,
    logsDirectory: modelLogsDirectory(opened.workspace),
    crunchId: opened.settings.crunchId,
    replace,
    modelName: name,
    ...(options.organizer ? { cruncherId: organizerId, cruncherName: organizerId } : {}),
    ...(options.cruncher === undefined ? {} : { cruncherName: options.cruncher }),
  })
  const what = replace ? 'has new code' : 'was added'
  terminal.out(
    `Model ${added.id} (${added.modelName}) of ${added.cruncherName} ${what}: submission ${added.submissionId}`,
  )
  const { id, submissionId } = added
  const past = before?.find((model) => model.id === id)
  await showStart({ opened, id, name, submissionId, past, waitMs: options.waitMs }, terminal)
}

/** Refuses a participant's model with the name of a baseline, as the node would. */
async function requireFreeName(
  { source, name, organizer }: { readonly source: string; readonly name: string; readonly organizer: boolean },
  { workspace, settings }: OpenedModels,
  terminal: Terminal,
) {
  if (organizer) return
  const { loadNodeContract, nameRefusal } = await import('../engine.ts')
  const environment = readEnvironment(workspace.nodeDirectory, terminal.env)
  let contract: Awaited<ReturnType<typeof loadNodeContract>>
  try {
    contract = await loadNodeContract(workspace.contractPath, environment)
  } catch (error) {
    if (!isExpectedError(error)) throw error
    terminal.err('The contract cannot be loaded, so it is unknown whether the name is that of a baseline: crunch check')
    return
  }
  const cause = nameRefusal(contract, settings.organizerId, { name, cruncherId: '' })
  if (cause === null) return
  const fix = "write --name with another one, or --organizer if it is the organizer's"
  throw new CliError({ place: `crunch models add ${source}`, cause, fix })
}

/** Starts a model. A quarantined model is retried. */
export async function startModel(
  options: { readonly model: string; readonly waitMs: number },
  terminal: Terminal,
): Promise<void> {
  const opened = await openModels(terminal)
  requireModelsHere(opened)
  const { workspace } = opened
  const { id, name, submissionId, desiredState } = findModel(listedModels(opened), options.model, workspace.modelsFile)
  let past = (await knownToOrchestrator(opened))?.find((model) => model.id === id)
  if (desiredState === 'RUNNING' && past?.status === 'RUNNER_RUNNING') {
    terminal.out(`Model ${id} (${name}) already runs.`)
    return
  }
  // The orchestrator ends a quarantine only when the entry changes, so the entry is set to STOPPED first.
  if (desiredState === 'RUNNING' && past !== undefined) {
    await setDesiredState(workspace.modelsFile, id, 'STOPPED')
    // Failures before the stop do not belong to this start.
    past = await untilStopped(opened, id, terminal)
  }
  // Without a running orchestrator, a change of the entry does not end the quarantine.
  if (past === undefined) endQuarantine(modelLogsDirectory(workspace), id, logTo(terminal))
  await setDesiredState(workspace.modelsFile, id, 'RUNNING')
  terminal.out(`Model ${id} (${name}) is set to run.`)
  await showStart({ opened, id, name, submissionId, past, waitMs: options.waitMs }, terminal)
}

/** Stops a model; keeps its entry and submission. */
export async function stopModel(options: { readonly model: string }, terminal: Terminal): Promise<void> {
  const opened = await openModels(terminal)
  requireModelsHere(opened)
  const { id, name, desiredState } = findModel(listedModels(opened), options.model, opened.workspace.modelsFile)
  await setDesiredState(opened.workspace.modelsFile, id, 'STOPPED')
  const already = desiredState === 'STOPPED' ? 'already ' : ''
  terminal.out(`Model ${id} (${name}) is ${already}set to stop. Start it again with: crunch models start ${id}`)
}

/** Removes a model from the list; keeps its submission and logs on disk. */
export async function removeListedModel(
  options: { readonly model: string; readonly isConfirmed: boolean },
  terminal: Terminal,
): Promise<void> {
  const opened = await openModels(terminal)
  requireModelsHere(opened)
  const { modelsFile } = opened.workspace
  const { id, name } = findModel(listedModels(opened), options.model, modelsFile)
  if (!options.isConfirmed) {
    throw new CliError({
      place: `model ${id} (${name})`,
      cause: 'its entry would be deleted from the models file, and the model stopped',
      fix: `to confirm: crunch models remove ${id} --yes; to keep the entry: crunch models stop ${id}`,
    })
  }
  await removeModel(modelsFile, id)
  terminal.out(`Model ${id} (${name}) is removed; its submission stays in ${opened.workspace.submissionsDirectory}`)
}

function logTo(terminal: Terminal): OrchestratorLog {
  const write: OrchestratorLog['warn'] = (message, { path = '', reason = '' } = {}) => {
    terminal.err(`${message}: ${path}: ${reason}`)
  }
  return { info: () => undefined, warn: write, error: write }
}

/** `undefined` if the orchestrator does not answer. That is not an error: it may not run. */
async function knownToOrchestrator({ orchestrator }: OpenedModels): Promise<readonly OrchestratorModel[] | undefined> {
  try {
    return await orchestrator.models()
  } catch (error) {
    if (error instanceof CliError) return undefined
    throw error
  }
}

/** The state of the model after the orchestrator has read `STOPPED` from the models file, or after a time limit. */
async function untilStopped(
  opened: OpenedModels,
  id: string,
  terminal: Terminal,
): Promise<OrchestratorModel | undefined> {
  const deadlineMs = performance.now() + noticeLimitMs
  for (;;) {
    const model = (await knownToOrchestrator(opened))?.find((candidate) => candidate.id === id)
    const isOver = performance.now() >= deadlineMs || terminal.signal.aborted
    if (model === undefined || model.desiredState === 'STOPPED' || isOver) return model
    await wait(100, terminal.signal)
  }
}

interface StartToShow {
  readonly opened: OpenedModels
  readonly id: string
  readonly name: string
  readonly submissionId: string
  readonly past: ModelPast | undefined
  readonly waitMs: number
}

/** Waits for a start and prints the result. On failure, prints the reason and the end of the model's log, and throws. */
async function showStart(start: StartToShow, terminal: Terminal): Promise<void> {
  const { opened, id, submissionId, past, waitMs } = start
  const { orchestrator, node, isDeployed } = opened
  if (!isDeployed && (await knownToOrchestrator(opened)) === undefined) {
    terminal.out('It starts with the deployment: crunch deploy')
    return
  }
  if (waitMs === 0) return
  terminal.err(`Waiting until it serves, for up to ${Math.round(waitMs / 1_000)} s ...`)
  const { signal } = terminal
  const awaited = await awaitModel({ orchestrator, node, id, submissionId, past, limitMs: waitMs, signal })
  if (awaited.outcome === 'serves') {
    const { language, deploymentId } = awaited.model
    const called = awaited.isCalled ? ', and the node calls it' : ''
    terminal.out(`It serves (${language ?? 'unknown language'}, ${deploymentId})${called}.`)
    return
  }
  await reportStart(start, awaited, terminal)
}

async function reportStart(
  { opened: { workspace }, id, name }: StartToShow,
  awaited: Exclude<AwaitedModel, { readonly outcome: 'serves' }>,
  terminal: Terminal,
): Promise<never> {
  if (awaited.outcome === 'interrupted') throw new ReportedFailure('ended by the operator')
  const why =
    awaited.outcome === 'failed'
      ? `it failed with ${awaited.failure.code}: ${awaited.failure.reason.split('\n').map(printable).join('\n  ')}`
      : `it does not serve yet: ${awaited.last}`
  terminal.err(`error: model ${id}: ${why}`)
  // A failed run may have been restarted, and the log of the new run is still empty.
  const deploymentId = awaited.outcome === 'failed' ? awaited.failure.deploymentId : null
  await showLogEnd(modelLogsDirectory(workspace), id, deploymentId, terminal)
  terminal.err(
    awaited.outcome === 'failed'
      ? `  fix: correct it, then: crunch models add FOLDER --name ${asArgument(name)} --replace; or remove it: crunch models remove ${id} --yes`
      : '  fix: follow its state with: crunch models, or wait longer with --wait',
  )
  throw new ReportedFailure(why)
}

/** Names may hold spaces. */
function asArgument(name: string): string {
  return /^[\w.-]+$/.test(name) ? name : `'${printable(name).replaceAll("'", "'\\''")}'`
}

async function showLogEnd(
  logsDirectory: string,
  modelId: string,
  deploymentId: string | null,
  terminal: Terminal,
): Promise<void> {
  try {
    const lines: string[] = []
    const run = deploymentId === null ? {} : { deploymentId }
    for await (const line of readRunLog({ logsDirectory, modelId, lines: lastLines, ...run })) {
      lines.push(formatRunLine(line))
    }
    terminal.err(`  the last lines of its log (all: crunch models logs ${modelId}):`)
    for (const line of lines) terminal.err(`  ${line}`)
  } catch (error) {
    // The run failed before it logged anything; the reason has been printed.
    if (!(error instanceof CliError)) throw error
  }
}
