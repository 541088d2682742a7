import { steadyNodeArguments } from '@crunch/coordinator-node/internal'
import type { Figures, Measurement } from './measurements.ts'
import { type ChildOptions, runChild, type ServingChild, startChild } from './processes/child-process.ts'
import type { ReportSizeOptions } from './report/report-size.ts'

export interface RunOptions {
  readonly recording: string
  readonly report: ReportSizeOptions
  /** Maximum number of runs. The measurement's budget may stop them earlier, but not before the first. */
  readonly runCount: number
  /** Folder for profiles of the measured processes. */
  readonly profileFolder?: string | undefined
  readonly signal: AbortSignal
  readonly onRun: (figures: Figures) => void
}

/** Runs a measurement several times, each with a fresh process and database. Rejects with the first failure. */
export async function runMeasurement(measurement: Measurement, options: RunOptions): Promise<readonly Figures[]> {
  const { modelCount } = measurement.needs
  const { signal, runCount } = options
  const startedAt = performance.now()
  const models =
    modelCount === 0
      ? undefined
      : await startChild({
          module: new URL('./processes/models-process.ts', import.meta.url),
          input: { modelCount },
          signal,
        })
  try {
    const runs: Figures[] = []
    for (let longestMs = 0; runs.length < runCount; ) {
      const runStartedAt = performance.now()
      const isFirst = runs.length === 0
      if (!isFirst && runStartedAt - startedAt + longestMs > measurement.budgetMs) break
      const figures = await runOnce(measurement, models, options)
      options.onRun(figures)
      runs.push(figures)
      longestMs = Math.max(longestMs, performance.now() - runStartedAt)
    }
    return runs
  } finally {
    await models?.stop()
  }
}

async function runOnce(
  { name, needs }: Measurement,
  models: ServingChild | undefined,
  { recording, report, profileFolder, signal }: RunOptions,
): Promise<Figures> {
  const database = needs.database
    ? await startChild({ module: new URL('./processes/database-process.ts', import.meta.url), input: {}, signal })
    : undefined
  const child: ChildOptions = {
    module: new URL('./measure-process.ts', import.meta.url),
    input: {
      name,
      modelCount: needs.modelCount,
      recording,
      report,
      ...(database && { databaseUrl: database.value.url }),
      ...(models && { modelsPort: models.value.port }),
    },
    signal,
    nodeArguments: [
      ...(needs.steady ? steadyNodeArguments : []),
      ...(profileFolder === undefined ? [] : ['--cpu-prof', `--cpu-prof-dir=${profileFolder}`]),
    ],
  }
  try {
    return numbersOf(await runChild(child))
  } finally {
    await database?.stop()
  }
}

function numbersOf(value: Readonly<Record<string, string | number>>): Figures {
  return Object.fromEntries(
    Object.entries(value).filter((entry): entry is [string, number] => typeof entry[1] === 'number'),
  )
}
