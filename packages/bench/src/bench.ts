// npm run bench [-- --write] [--only NAME] [--runs N] [--profile FOLDER] [--days N] [--predictions N]
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { z } from 'zod'
import { machineText } from './machine.ts'
import { type CandleRecording, findCandleRecording } from './measured/candle-recording.ts'
import { measurementNames, measurements } from './measurements.ts'
import { reportSizeSchema } from './report/report-size.ts'
import { type MeasuredRuns, resultRows, resultsMarkdown, resultsTable } from './results-table.ts'
import { runMeasurement } from './run-measurement.ts'

const timeLimitMs = 1_620_000
const resultsFile = fileURLToPath(new URL('../RESULTS.md', import.meta.url))

const optionsSchema = z.object({
  write: z.boolean().default(false),
  only: z.array(z.enum(measurementNames)).default([...measurementNames]),
  runs: z.coerce.number().int().min(1).max(20).default(3),
  profile: z.string().optional(),
  ...reportSizeSchema.shape,
})

function readOptions() {
  const { values } = parseArgs({
    options: {
      write: { type: 'boolean' },
      only: { type: 'string', multiple: true },
      runs: { type: 'string' },
      profile: { type: 'string' },
      days: { type: 'string' },
      predictions: { type: 'string' },
    },
  })
  const options = optionsSchema.parse(values)
  if (options.write && options.only.length < measurementNames.length) {
    throw new Error('--write is for the whole table: leave out --only')
  }
  return options
}

async function measureAll(recording: string, signal: AbortSignal): Promise<MeasuredRuns[]> {
  const results: MeasuredRuns[] = []
  for (const measurement of measurements.filter(({ name }) => options.only.includes(name))) {
    const runs = await runMeasurement(measurement, {
      recording,
      report: { days: options.days, predictions: options.predictions },
      runCount: options.runs,
      profileFolder: options.profile === undefined ? undefined : resolve(options.profile),
      signal,
      onRun: (figures) => {
        const values = Object.entries(figures).map(([key, value]) => `${key} ${Number(value.toPrecision(4))}`)
        console.log(`${measurement.name}: ${values.join(', ')}`)
      },
    })
    results.push({ measurement, runs })
  }
  return results
}

async function writeResults(
  results: readonly MeasuredRuns[],
  machine: string,
  recording: CandleRecording,
): Promise<void> {
  const methods = results.map(({ measurement: { name, method } }) => `- **${name}**: ${method}.`)
  const text = [
    '# Results',
    '',
    '`npm run bench -- --write` writes this file. Each run has its own process and, if needed, its own embedded PostgreSQL (fsync on).',
    '',
    `${new Date().toISOString().slice(0, 10)}, ${machine}; ${recording.origin}.`,
    '',
    resultsMarkdown(resultRows(results)),
    '',
    ...methods,
    '',
  ]
  await writeFile(resultsFile, text.join('\n'))
  console.log(`written to ${resultsFile}`)
}

const options = readOptions()
const interruption = new AbortController()
for (const name of ['SIGINT', 'SIGTERM'] as const) {
  process.once(name, () => interruption.abort(new Error(`interrupted by ${name}`)))
}
const late = setTimeout(() => interruption.abort(new Error(`not done within ${timeLimitMs / 1_000} s`)), timeLimitMs)
const folder = await mkdtemp(join(tmpdir(), 'crunch-bench-'))
try {
  const recording = await findCandleRecording(folder)
  const machine = machineText()
  console.log(`${machine}; ${recording.origin}`)
  const results = await measureAll(recording.path, interruption.signal)
  console.log(resultsTable(resultRows(results)))
  if (options.write) await writeResults(results, machine, recording)
} catch (error) {
  const reason: unknown = interruption.signal.aborted ? interruption.signal.reason : error
  console.error(reason instanceof Error ? reason.message : reason)
  process.exitCode = 1
} finally {
  clearTimeout(late)
  await rm(folder, { recursive: true, force: true })
}
