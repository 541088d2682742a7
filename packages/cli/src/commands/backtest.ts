import { resolve } from 'node:path'
import { type BacktestReport, backtestReport } from '../backtest/backtest-report.ts'
import { formatBacktest } from '../backtest/format-backtest.ts'
import { CliError, failWith } from '../cli-error.ts'
import { findRecordings, requireFile } from '../deploy/deployment-plan.ts'
import { loadNodeContract, type RecordedPart, readNodeSettings, simulateRecordings } from '../engine.ts'
import { hostModel } from '../local-model/host-model.ts'
import { type RunningModel, requireRunningModels } from '../models-file.ts'
import { readNodeEnvironment } from '../read-environment.ts'
import type { LeaderboardRow } from '../report-api/report-client.ts'
import { createProgress } from '../terminal/progress.ts'
import type { Terminal } from '../terminal/terminal.ts'
import { findWorkspace, type Workspace } from '../workspace.ts'
import { loadModel, takeLoadable } from './simulate.ts'

/** What to back-test. Paths are relative to the current folder. */
export interface BacktestOptions {
  /** A folder of either language, or a notebook. */
  readonly model: string
  /** Absent: those of the workspace. */
  readonly recordings: readonly string[] | undefined
  readonly part: RecordedPart
  /** Adds the RUNNING entries of `models.dev.yml`, in this process, to compare with. */
  readonly examples: boolean
  readonly json: boolean
}

/**
 * Runs one model over recordings as a node would: in a process of its own, behind the wire, with the contract's own
 * scoring; time is that of the data.
 */
export async function backtest(options: BacktestOptions, terminal: Terminal): Promise<void> {
  const workspace = findWorkspace(terminal.cwd)
  const environment = readNodeEnvironment(workspace.nodeDirectory, terminal.env)
  const settings = readNodeSettings(environment)
  const fix = 'name one: crunch backtest --model DIR --recording FILE'
  const files = options.recordings?.map((file) => resolve(terminal.cwd, file)) ?? findRecordings(workspace, fix)
  for (const file of files) requireFile(file)
  const contract = await loadNodeContract(workspace.contractPath, environment.values)
  const examples = options.examples ? await readExamples(workspace, settings.crunchId, terminal) : []
  const models = await Promise.all(examples.map((model) => loadModel(model, settings.modelBaseClassName)))
  const hosted = await hostModel({
    path: options.model,
    cwd: terminal.cwd,
    taken: [...(contract.baselines ?? []), ...models.flatMap(({ id, name }) => [id, name])],
    workspace,
    settings,
    onStep: (step) => terminal.err(step),
    onBuild: createProgress(terminal),
    signal: terminal.signal,
  })
  let report: BacktestReport
  let board: readonly LeaderboardRow[]
  try {
    const progress = createProgress(terminal)
    const result = await simulateRecordings({
      contract,
      files,
      part: options.part,
      models,
      organizerId: settings.organizerId,
      onProblem: (text) => terminal.err(text),
      hosted: { runner: hosted.runner, timeoutMs: settings.modelTimeoutMs, beforeBatch: hosted.untilBack },
      signal: terminal.signal,
      onProgress({ recordCount, at }) {
        progress(() => `${recordCount} records, up to ${new Date(at).toISOString()}`)
      },
    })
    if (terminal.signal.aborted) throw interrupted()
    board = result.board
    const names = new Map([...models, hosted].map(({ id, name }) => [id, name]))
    report = backtestReport({
      result,
      names,
      modelId: hosted.id,
      status: hosted.status(),
      output: await hosted.output(),
    })
  } finally {
    await hosted.close()
  }
  terminal.out(options.json ? JSON.stringify(report) : formatBacktest(report, board))
  failWith(report.failure, terminal)
}

async function readExamples(
  workspace: Workspace,
  crunchId: string,
  terminal: Terminal,
): Promise<readonly RunningModel[]> {
  const running = await takeLoadable(requireRunningModels(workspace, crunchId), terminal)
  if (running.length > 0) return running
  throw new CliError({
    place: workspace.modelsFile,
    cause: `--examples has nothing to compare with: no entry of the competition ${crunchId} in TypeScript has desired_state: RUNNING`,
    fix: 'leave --examples out, or set desired_state: RUNNING',
  })
}

function interrupted(): CliError {
  return new CliError({
    place: 'crunch backtest',
    cause: 'it was ended before the end of the recording; every process of the model was ended too',
    fix: 'run it again, with --from and --to for a part of the recording',
  })
}
