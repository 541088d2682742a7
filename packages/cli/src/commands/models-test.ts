import { resolve } from 'node:path'
import { CliError, failWith, ReportedFailure } from '../cli-error.ts'
import { findRecordings, requireFile } from '../deploy/deployment-plan.ts'
import { loadNodeContract, readNodeSettings, rehearseRecordings } from '../engine.ts'
import { formatModelTest } from '../local-model/format-model-test.ts'
import { type HostedModel, type HostRequest, hostModel, ModelNotHosted } from '../local-model/host-model.ts'
import {
  failedReport,
  type ModelTestReport,
  rehearsedReport,
  type TestedStep,
} from '../local-model/model-test-report.ts'
import { readNodeEnvironment } from '../read-environment.ts'
import { createProgress } from '../terminal/progress.ts'
import type { Terminal } from '../terminal/terminal.ts'
import { findWorkspace } from '../workspace.ts'

/** Paths are relative to the current folder. */
export interface ModelTestOptions {
  /** A model folder or a notebook. */
  readonly model: string
  /** Default: the recordings of the workspace. */
  readonly recordings: readonly string[] | undefined
  readonly json: boolean
}

/** Sets one model up and asks it about the first rounds of a recording, as a node would; fails when it would not be ranked. */
export async function testModel(options: ModelTestOptions, terminal: Terminal): Promise<void> {
  const report = await tryOut(options, terminal)
  terminal.out(options.json ? JSON.stringify(report) : formatModelTest(report))
  if (!report.isRanked) throw new ReportedFailure('the model would not be ranked')
  failWith(report.failure, terminal)
}

async function tryOut(options: ModelTestOptions, terminal: Terminal): Promise<ModelTestReport> {
  const workspace = findWorkspace(terminal.cwd)
  const environment = readNodeEnvironment(workspace.nodeDirectory, terminal.env)
  const settings = readNodeSettings(environment)
  const fix = 'name one: crunch models test DIR --recording FILE'
  const files = options.recordings?.map((file) => resolve(terminal.cwd, file)) ?? findRecordings(workspace, fix)
  for (const file of files) requireFile(file)
  const contract = await loadNodeContract(workspace.contractPath, environment.values)
  const { signal } = terminal
  const hosted = await hostOrReport({
    path: options.model,
    cwd: terminal.cwd,
    taken: contract.baselines ?? [],
    workspace,
    settings,
    onStep: (step) => terminal.err(step),
    onBuild: createProgress(terminal),
    signal,
  })
  if ('isRanked' in hosted) return hosted
  try {
    const problems: string[] = []
    const onError = (message: string, reason: string) => problems.push(`${message}: ${reason}`)
    const timeoutMs = settings.modelTimeoutMs
    const rehearsal = await rehearseRecordings({ contract, files, runner: hosted.runner, timeoutMs, onError, signal })
    if (rehearsal === null) throw noRoundError(files, problems, signal)
    return rehearsedReport({
      model: hosted.name,
      steps: [step('start', hosted.startMs), step('Setup', hosted.setupMs)],
      rehearsal,
      output: await hosted.output(),
    })
  } finally {
    await hosted.close()
  }
}

/** The model, or the report of one that cannot be called. */
async function hostOrReport(request: HostRequest): Promise<HostedModel | ModelTestReport> {
  try {
    return await hostModel(request)
  } catch (error) {
    if (!(error instanceof ModelNotHosted)) throw error
    const { code, reason, output } = error
    const text = `${code}: ${reason}`
    const failed = {
      name: error.step === 'start' ? 'start' : 'Setup',
      outcome: 'failed',
      durationMs: null,
      text,
    } as const
    const steps = error.step === 'start' ? [failed] : [step('start', null), failed]
    return failedReport({ model: request.path, steps, output })
  }
}

function step(name: string, durationMs: number | null): TestedStep {
  return { name, outcome: 'ok', durationMs, text: '' }
}

function noRoundError(files: readonly string[], problems: readonly string[], signal: AbortSignal): CliError {
  if (signal.aborted) {
    const fix = 'run it again, and let it finish'
    return new CliError({ place: 'crunch models test', cause: 'it was ended before the model had answered', fix })
  }
  const [problem] = problems
  const because = problem ?? 'the recording contains no instant at which a schedule of the contract opens a round'
  const fix =
    problem === undefined
      ? 'name a recording of the subjects of the contract, at least as long as its input window and horizon'
      : 'correct the contract; the recording could be read'
  return new CliError({
    place: files.join(', '),
    cause: `no round opened, so the model was never called: ${because}`,
    fix,
  })
}
