import { z } from 'zod'

/** What the measured API has stored, by options of the benchmark. */
export const reportSizeSchema = z.object({
  days: z.coerce.number().int().min(1).max(90).default(2),
  predictions: z.coerce.number().int().min(10_000).max(20_000_000).default(200_000),
})
export type ReportSizeOptions = z.output<typeof reportSizeSchema>

/** How many rows the measured API serves. */
export interface ReportSize {
  readonly modelCount: number
  /** Snapshot periods of ten minutes, each with a snapshot a model and a leaderboard. */
  readonly periodCount: number
  /** Rounds in that time, each answered by every model. */
  readonly roundCount: number
}

const modelCount = 1_000
const periodsPerDay = 144

export function reportSize({ days, predictions }: ReportSizeOptions): ReportSize {
  return { modelCount, periodCount: days * periodsPerDay, roundCount: Math.ceil(predictions / modelCount) }
}
