import { randomUUID } from 'node:crypto'
import { existsSync } from 'node:fs'
import { writeFile } from 'node:fs/promises'
import { availableParallelism } from 'node:os'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import {
  type ModelStatus,
  type Orchestrator,
  OrchestratorError,
  type OrchestratorLog,
  type OrchestratorSettings,
  sourceName,
  startOrchestrator,
} from '@crunch/model-orchestrator'
import { CliError } from '../cli-error.ts'
import { connectModels, type GrpcModelRunner, type ModelAnswer, type ModelRunner } from '../engine.ts'
import type { NodeSettings } from '../node-settings.ts'
import type { Progress } from '../terminal/progress.ts'
import type { Workspace } from '../workspace.ts'
import { copyModel, findModelSource, type LocatedModel, makeScratch, removeScratch } from './locate-model.ts'
import { type OutputLine, readModelOutput } from './read-model-output.ts'

/** The same limit as on a node. */
const setupTimeoutMs = 60_000
/** A failure report only crosses a local socket. */
const reportLimitMs = 5_000
/** The end of a process and the loss of its connection are noticed at about the same time. */
const lossLimitMs = 2_000
const pollMs = 20
const buildReadMs = 1_000

/** The step in which hosting a model failed. */
export type HostingStep = 'start' | 'setup'

/** The model cannot be called. The message states the reason for its author. */
export class ModelNotHosted extends CliError {
  readonly step: HostingStep
  override readonly code: string
  readonly reason: string
  /** The output of the model, oldest line first. */
  readonly output: readonly OutputLine[]

  constructor(
    path: string,
    step: HostingStep,
    failure: { readonly code: string; readonly reason: string },
    output: readonly OutputLine[],
  ) {
    const cause = `the model ${step === 'start' ? 'does not start' : 'cannot be set up'} (${failure.code}): ${failure.reason}`
    super({ place: path, cause, fix: 'fix the model; check each step with: crunch models test DIR' })
    this.step = step
    this.code = failure.code
    this.reason = failure.reason
    this.output = output
  }
}

export interface HostRequest {
  /** A folder or a notebook. */
  readonly path: string
  readonly cwd: string
  /** Ids and names that the model must not have: those of other models of the run, and of baselines. */
  readonly taken: readonly string[]
  readonly workspace: Pick<Workspace, 'stateDirectory' | 'environmentsDirectory' | 'pythonPath'>
  /** The node's settings, so that the model is hosted as on the node. */
  readonly settings: Pick<NodeSettings, 'crunchId' | 'modelBaseClassName' | 'pythonProgram' | 'modelLimits'>
  /** Called at each step with a short description. */
  readonly onStep: (step: string) => void
  /** Called with each line that a build prints. */
  readonly onBuild: Progress
  readonly signal: AbortSignal
}

/** One model in a separate process, reached through gRPC as on a node. */
export interface HostedModel {
  readonly id: string
  readonly name: string
  readonly runner: ModelRunner
  /** Time from the request to run the model until it served, and from then until its set-up was complete, in milliseconds. */
  readonly startMs: number
  readonly setupMs: number
  status(): ModelStatus
  /** The output of the model so far, oldest line first. */
  output(): Promise<readonly OutputLine[]>
  /** Waits until a crashed process has been replaced; returns at once if none crashed. */
  untilBack(): Promise<void>
  /** Ends the model's processes and removes its temporary files. */
  close(): Promise<void>
}

/**
 * Runs one model with a separate orchestrator on free ports, and sets it up.
 * @throws ModelNotHosted if the model does not start or cannot be set up; all processes have then ended.
 */
export async function hostModel(request: HostRequest): Promise<HostedModel> {
  const source = findModelSource(request.path, request.cwd)
  const scratch = await makeScratch(request.workspace.stateDirectory)
  const closing: (() => Promise<void>)[] = [() => removeScratch(scratch)]
  const close = async () => {
    for (const step of closing.splice(0).reverse()) await step()
  }
  try {
    return await host({ ...request, path: source }, scratch, closing, close)
  } catch (error) {
    await close()
    throw error
  }
}

async function host(
  request: HostRequest,
  scratch: string,
  closing: (() => Promise<void>)[],
  close: () => Promise<void>,
): Promise<HostedModel> {
  const { path, taken, settings, workspace, onStep, onBuild, signal } = request
  const { crunchId, modelBaseClassName: baseClassName } = settings
  const { submissionsDirectory, submissionId, inOwnPaths } = await takeModel(path, scratch)
  const modelId = freeId(submissionId, taken)
  const logsDirectory = join(scratch, 'logs')
  const output = async () =>
    (await readModelOutput(logsDirectory, modelId)).map((line) => ({ ...line, message: inOwnPaths(line.message) }))
  const modelsFile = await writeModelsFile(scratch, { modelId, submissionId, crunchId })
  const name = sourceName(path)
  onStep(`starting ${name}`)
  const startedAt = performance.now()
  // As a node has it: the third report about a run is believed, and ends a model that serves but never answers.
  const apiKey = randomUUID()
  const orchestrator = await startOrchestrator({
    apiKey,
    crunchId,
    modelsFile,
    submissionsDirectory,
    logsDirectory,
    baseClassName,
    log: silentOrchestratorLog,
    port: 0,
    // The round has already waited for the model, so a failure report needs no second wait for its call.
    probe: { answerMs: 2_000, busyMs: 0 },
    // Only the author waits for the start.
    restart: { initialDelayMs: 200, maxDelayMs: 2_000 },
    python: {
      program: settings.pythonProgram,
      environmentsDirectory: workspace.environmentsDirectory,
      path: existsSync(workspace.pythonPath) ? [workspace.pythonPath] : [],
      allowBuilds: settings.modelLimits.allowBuilds === 'true',
    },
    ...limitsOf(settings.modelLimits),
  })
  closing.push(() => orchestrator.close())
  const status = () => statusOf(orchestrator)
  await untilStarted({ status, output, onBuild, signal })
  const started = status()
  if (started.state !== 'RUNNING') throw await notHosted(path, 'start', started, output)
  const servedAt = performance.now()
  onStep('setting it up')
  const runner = await connectUntilSettled({ orchestrator, apiKey, crunchId, baseClassName, signal, closing })
  if (runner.models().length === 0) {
    throw await notHosted(path, 'setup', await withFailure(status, signal), output)
  }
  const watched = watchLosses(runner, status)
  return {
    id: modelId,
    name,
    runner: watched.runner,
    startMs: servedAt - startedAt,
    setupMs: performance.now() - servedAt,
    status,
    output,
    untilBack: () => untilBack({ runner, status, signal, lost: watched.lost() }),
    close,
  }
}

/** The id is what messages and contracts name, so it is made from the model's name. */
export function freeId(name: string, taken: readonly string[]): string {
  const keys = new Set(taken.map((one) => one.trim().toLowerCase()))
  let id = name
  for (let count = 2; keys.has(id.toLowerCase()); count += 1) id = `${name}-${count}`
  return id
}

/** Refuses a submission that a node would refuse. */
async function takeModel(path: string, scratch: string): Promise<LocatedModel> {
  try {
    return await copyModel(path, scratch)
  } catch (error) {
    if (!(error instanceof OrchestratorError)) throw error
    throw new ModelNotHosted(path, 'start', { code: error.code, reason: error.message }, [])
  }
}

/** The node's limits, except that a model may use all processors: it answers many rounds in a row, without pauses between them. */
function limitsOf({
  network,
  namespaces,
  allowBuilds: _,
  startTimeoutMs,
  ...limits
}: NodeSettings['modelLimits']): Pick<OrchestratorSettings, 'modelLimits' | 'confinement' | 'startTimeoutMs'> {
  const given = Object.entries(limits).filter(([, value]) => value !== undefined)
  const cpuCores = Math.max(limits.cpuCores ?? 1, availableParallelism())
  return {
    modelLimits: { ...Object.fromEntries(given), cpuCores },
    confinement: { network, namespaces },
    ...(startTimeoutMs !== undefined && { startTimeoutMs }),
  }
}

/** Waits until the model serves or fails. Shows the output of the build, which can take minutes; the orchestrator limits it. */
export async function untilStarted(input: {
  readonly status: () => Pick<ModelStatus, 'state'>
  readonly output: () => Promise<readonly OutputLine[]>
  readonly onBuild: Progress
  readonly signal: AbortSignal
  /** For tests. */
  readonly now?: () => number
  readonly wait?: (durationMs: number) => Promise<unknown>
}): Promise<void> {
  const { status, output, onBuild, signal, now = () => performance.now(), wait = pause } = input
  let shown = ''
  let readAtMs = now()
  while (status().state === 'STARTING' && !signal.aborted) {
    await wait(pollMs)
    if (now() - readAtMs < buildReadMs) continue
    readAtMs = now()
    const line = (await output()).findLast(({ emitter }) => emitter === 'builder')?.message ?? ''
    if (line !== shown) onBuild(() => line)
    shown = line
  }
  await unlessAborted(Promise.resolve(), signal)
}

/** Writes the models file; JSON is valid YAML. The name is the id, because the folder may have the name of a baseline. */
async function writeModelsFile(
  scratch: string,
  model: { readonly modelId: string; readonly submissionId: string; readonly crunchId: string },
): Promise<string> {
  const path = join(scratch, 'models.dev.yml')
  const { modelId: id, submissionId: submission_id, crunchId: crunch_id } = model
  const entry = { id, submission_id, crunch_id, desired_state: 'RUNNING', model_name: id }
  await writeFile(path, JSON.stringify({ models: [entry] }))
  return path
}

async function connectUntilSettled(input: {
  readonly orchestrator: Orchestrator
  readonly apiKey: string
  readonly crunchId: string
  readonly baseClassName: string
  readonly signal: AbortSignal
  readonly closing: (() => Promise<void>)[]
}): Promise<GrpcModelRunner> {
  const { orchestrator, apiKey, crunchId, baseClassName, signal, closing } = input
  let onFatal: (error: Error) => void = () => undefined
  const fatal = new Promise<never>((_, reject) => {
    onFatal = reject
  })
  fatal.catch(() => undefined) // Avoids an unhandled rejection after the race below.
  const { port } = orchestrator
  const runner = await connectModels({
    port,
    orchestratorKey: () => apiKey,
    crunchId,
    baseClassName,
    setupTimeoutMs,
    onFatal,
  })
  closing.push(() => runner.close())
  await unlessAborted(Promise.race([runner.settled(), fatal]), signal)
  return runner
}

/** Waits until the coordinator's failure report reaches the orchestrator. */
async function withFailure(status: () => ModelStatus, signal: AbortSignal): Promise<ModelStatus> {
  const deadlineMs = performance.now() + reportLimitMs
  while (status().lastFailure === null && performance.now() < deadlineMs && !signal.aborted) await pause(pollMs)
  return status()
}

async function notHosted(
  path: string,
  step: HostingStep,
  { lastFailure }: ModelStatus,
  output: () => Promise<readonly OutputLine[]>,
): Promise<ModelNotHosted> {
  const failure = lastFailure ?? { code: 'RUN_FAILED', reason: 'it did not become ready in time' }
  return new ModelNotHosted(path, step, failure, await output())
}

/** Wraps the runner to record the run whose connection was lost during a call. */
function watchLosses(runner: ModelRunner, status: () => ModelStatus) {
  let lost: string | null = null
  return {
    lost: () => lost,
    runner: {
      models: () => runner.models(),
      reachable: () => runner.reachable(),
      excuseOf: (modelId) => runner.excuseOf(modelId),
      onModel: (listener) => runner.onModel(listener),
      judge: (judgements) => runner.judge(judgements),
      close: () => runner.close(),
      retirementOf: (modelId) => runner.retirementOf(modelId),
      async dispatch(calls, timeoutMs, except) {
        const { deploymentId } = status()
        const all = await runner.dispatch(calls, timeoutMs, except)
        if (all.some(({ answers }) => answers.some(isGone))) lost = deploymentId
        return all
      },
    } satisfies ModelRunner,
  }
}

function isGone(answer: ModelAnswer): boolean {
  return answer.status === 'absent' && answer.reason === 'not_running'
}

/** Waits until the running model is set up, or has failed or stopped permanently. */
async function untilBack(input: {
  readonly runner: ModelRunner
  readonly status: () => ModelStatus
  readonly signal: AbortSignal
  readonly lost: string | null
}): Promise<void> {
  const { runner, status, signal, lost } = input
  // The connection can be lost shortly before the end of the process is noticed, or while the process lives.
  const deadlineMs = performance.now() + lossLimitMs
  while (lost !== null && status().deploymentId === lost && performance.now() < deadlineMs && !signal.aborted) {
    await pause(pollMs)
  }
  for (;;) {
    const { state, deploymentId } = status()
    const isSetUp = runner.models().some((model) => model.deploymentId === deploymentId)
    if (isSetUp || state === 'FAILED' || state === 'STOPPED' || signal.aborted) return
    await pause(pollMs)
  }
}

function statusOf(orchestrator: Orchestrator): ModelStatus {
  const [status] = orchestrator.models()
  if (status === undefined) throw new Error('the orchestrator has no model, though one was written into its file')
  return status
}

async function unlessAborted(work: Promise<unknown>, signal: AbortSignal): Promise<void> {
  const aborted = new Promise<void>((resolve) => {
    if (signal.aborted) resolve()
    else signal.addEventListener('abort', () => resolve(), { once: true })
  })
  await Promise.race([work, aborted])
  if (!signal.aborted) return
  throw new CliError({
    place: 'the model',
    cause: 'this was ended before the model was set up',
    fix: 'run it again; nothing was kept',
  })
}

const silentOrchestratorLog: OrchestratorLog = {
  info: () => undefined,
  warn: () => undefined,
  error: () => undefined,
}
