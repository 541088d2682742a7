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

/** As a node gives a model. */
const setupTimeoutMs = 60_000
/** A failure report crosses a socket of this machine. */
const reportLimitMs = 5_000
/** The end of a process is noticed at about the time at which its connection is. */
const lossLimitMs = 2_000
const pollMs = 20
const buildReadMs = 1_000

/** How far a model came that cannot be called. */
export type HostingStep = 'start' | 'setup'

/** The model cannot be called: its author is told why. */
export class ModelNotHosted extends CliError {
  readonly step: HostingStep
  override readonly code: string
  readonly reason: string
  /** What it printed, the oldest first. */
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

/** What a hosted model needs to know of the workspace. */
export interface HostRequest {
  /** A folder, or a notebook. */
  readonly path: string
  readonly cwd: string
  /** The model's id; its files and predictions are known by it. */
  readonly modelId: string
  readonly workspace: Pick<Workspace, 'stateDirectory' | 'environmentsDirectory' | 'pythonPath'>
  /** A model is hosted as the node would host it. */
  readonly settings: Pick<NodeSettings, 'crunchId' | 'modelBaseClassName' | 'pythonProgram' | 'modelLimits'>
  /** Told what is being done, in a few words. */
  readonly onStep: (step: string) => void
  /** Told what a build prints. */
  readonly onBuild: Progress
  readonly signal: AbortSignal
}

/** One model in a process of its own, behind the wire, as a node has it. */
export interface HostedModel {
  readonly id: string
  readonly name: string
  readonly runner: ModelRunner
  /** From the wish to run it until it served, and until it was set up after that. */
  readonly startMs: number
  readonly setupMs: number
  status(): ModelStatus
  /** What the model has printed so far, the oldest first. */
  output(): Promise<readonly OutputLine[]>
  /** Waits while a process that ended is being replaced; returns at once when there is nothing to wait for. */
  untilBack(): Promise<void>
  /** Ends its processes and removes every file that was made for it. */
  close(): Promise<void>
}

/**
 * Runs one model with an orchestrator of its own, on free ports, and sets it up.
 * @throws ModelNotHosted when it does not start or cannot be set up, after everything has been ended.
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
  const { path, modelId, settings, workspace, onStep, onBuild, signal } = request
  const { crunchId, modelBaseClassName: baseClassName } = settings
  const { submissionsDirectory, submissionId, inOwnPaths } = await takeModel(path, scratch)
  const logsDirectory = join(scratch, 'logs')
  const output = async () =>
    (await readModelOutput(logsDirectory, modelId)).map((line) => ({ ...line, message: inOwnPaths(line.message) }))
  const modelsFile = await writeModelsFile(scratch, { modelId, submissionId, crunchId })
  const name = sourceName(path)
  onStep(`starting ${name}`)
  const startedAt = performance.now()
  const orchestrator = await startOrchestrator({
    crunchId,
    modelsFile,
    submissionsDirectory,
    logsDirectory,
    baseClassName,
    log: silentOrchestratorLog,
    port: 0,
    // A model that is at work when it is looked at has already been waited for.
    probe: { answerMs: 2_000, busyMs: 0 },
    // Nobody but the author waits for it.
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
  const runner = await connectUntilSettled({ orchestrator, crunchId, baseClassName, signal, closing })
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

/** A model that no node would take does not start here either. */
async function takeModel(path: string, scratch: string): Promise<LocatedModel> {
  try {
    return await copyModel(path, scratch)
  } catch (error) {
    if (!(error instanceof OrchestratorError)) throw error
    throw new ModelNotHosted(path, 'start', { code: error.code, reason: error.message }, [])
  }
}

/** Those of the node, but all processors: what a node asks for over days is asked for at once here. */
function limitsOf({
  network,
  namespaces,
  allowBuilds: _,
  ...limits
}: NodeSettings['modelLimits']): Pick<OrchestratorSettings, 'modelLimits' | 'confinement'> {
  const given = Object.entries(limits).filter(([, value]) => value !== undefined)
  const cpuCores = Math.max(limits.cpuCores ?? 1, availableParallelism())
  return { modelLimits: { ...Object.fromEntries(given), cpuCores }, confinement: { network, namespaces } }
}

/** Until it serves or has failed once. What a build says is shown: it may take minutes, within the orchestrator's own limit. */
async function untilStarted(input: {
  readonly status: () => ModelStatus
  readonly output: () => Promise<readonly OutputLine[]>
  readonly onBuild: Progress
  readonly signal: AbortSignal
}): Promise<void> {
  const { status, output, onBuild, signal } = input
  let shown = ''
  let readAtMs = performance.now()
  while (status().state === 'STARTING' && !signal.aborted) {
    await pause(pollMs)
    if (performance.now() - readAtMs < buildReadMs) continue
    readAtMs = performance.now()
    const line = (await output()).findLast(({ emitter }) => emitter === 'builder')?.message ?? ''
    if (line !== shown) onBuild(() => line)
    shown = line
  }
  await unlessAborted(Promise.resolve(), signal)
}

/** JSON is YAML. The model is known by its id alone: its folder may have the name of a baseline. */
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
  readonly crunchId: string
  readonly baseClassName: string
  readonly signal: AbortSignal
  readonly closing: (() => Promise<void>)[]
}): Promise<GrpcModelRunner> {
  const { orchestrator, crunchId, baseClassName, signal, closing } = input
  let onFatal: (error: Error) => void = () => undefined
  const fatal = new Promise<never>((_, reject) => {
    onFatal = reject
  })
  fatal.catch(() => undefined) // Also after nobody waits any more.
  const { port } = orchestrator
  const runner = await connectModels({ port, crunchId, baseClassName, setupTimeoutMs, onFatal })
  closing.push(() => runner.close())
  await unlessAborted(Promise.race([runner.settled(), fatal]), signal)
  return runner
}

/** The coordinator's verdict is on its way to the orchestrator. */
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

/** The runner, with a note of the run whose connection was lost during a call. */
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

/** Until the model that runs is the one that is set up, or until it is given up for good. */
async function untilBack(input: {
  readonly runner: ModelRunner
  readonly status: () => ModelStatus
  readonly signal: AbortSignal
  readonly lost: string | null
}): Promise<void> {
  const { runner, status, signal, lost } = input
  // A connection may be lost a moment before the end of its process is noticed; or without such an end.
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
