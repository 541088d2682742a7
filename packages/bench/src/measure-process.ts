// The measured process: one run of one measurement, so that peak memory and JIT state belong to it alone.
import { createLog } from '@crunch/coordinator-node/workers'
import { z } from 'zod'
import type { Log } from './engine.ts'
import { type Figures, measurementNames } from './measurements.ts'
import { answerParent, parentInput } from './processes/parent-link.ts'
import { reportSize, reportSizeSchema } from './report/report-size.ts'

const inputSchema = z.object({
  name: z.enum(measurementNames),
  databaseUrl: z.string().default(''),
  modelsPort: z.number().default(0),
  modelCount: z.number(),
  recording: z.string(),
  report: reportSizeSchema,
})

process.once('disconnect', () => process.exit())

await answerParent(async () => {
  const log = createLog({ LOG_LEVEL: 'warn', LOG_FORMAT: 'json' })
  const figures = await measure(parentInput(inputSchema), log)
  // In kilobytes on every system.
  return { ...figures, peakMemory: process.resourceUsage().maxRSS / 1_000 }
})

/** Each measurement is loaded separately, so that imports of others do not add to its memory. */
async function measure(input: z.output<typeof inputSchema>, log: Log): Promise<Figures> {
  switch (input.name) {
    case 'ingest':
      return (await import('./measured/ingest-records.ts')).ingestRecords(input.databaseUrl, log)
    case 'stream':
      return (await import('./measured/stream-ticks.ts')).streamTicks(input.databaseUrl, log)
    case 'backfill':
      return (await import('./measured/backfill-candles.ts')).backfillCandles(input.databaseUrl, log)
    case 'predict': {
      const { predictLive } = await import('./measured/predict-live.ts')
      return predictLive(input.databaseUrl, input.modelsPort, input.modelCount, log)
    }
    case 'settle':
      return (await import('./measured/settle-predictions.ts')).settlePredictions(input.databaseUrl, log)
    case 'storage':
      return (await import('./measured/store-predictions.ts')).storePredictions(input.databaseUrl, log)
    case 'window':
      return (await import('./measured/open-window.ts')).openWindow(input.databaseUrl, log)
    case 'close':
      return (await import('./measured/close-period.ts')).closePeriod(input.databaseUrl, log)
    case 'floor':
      return (await import('./measured/round-floor.ts')).roundFloor(input.databaseUrl, log)
    case 'fan-out':
      return (await import('./measured/fan-out.ts')).fanOut(log)
    case 'hostile':
      return (await import('./measured/hostile-models.ts')).withHostileModels(log)
    case 'report':
      return (await import('./measured/serve-report.ts')).serveReport(input.databaseUrl, reportSize(input.report), log)
    case 'simulate':
      return (await import('./measured/simulate-candles.ts')).simulateCandles(input.recording, log)
  }
}
