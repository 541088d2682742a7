import type { Instant } from './time.ts'

/** A sum and how many numbers went into it, so that windows can weigh by count. */
export interface FieldSum {
  readonly sum: number
  readonly count: number
}

/** One model's results over one closed period `[periodStart, periodEnd)`. Never changes once written. */
export interface Snapshot {
  readonly id: string
  readonly era: number
  readonly modelId: string
  readonly periodStart: Instant
  readonly periodEnd: Instant
  /** Scores that count: valid and imputed. */
  readonly scoreCount: number
  /** Rounds that this model had to answer, and those that it answered validly. */
  readonly dueCount: number
  readonly answeredCount: number
  /** All rounds of the period, including those in which it had no row. */
  readonly roundCount: number
  /** Rounds in which its own answer has a valid score: neither imputed nor failed. */
  readonly validCount: number
  /** Excused rounds: the answer is missing or could not be scored by the coordinator's fault. */
  readonly excusedCount: number
  /** Sum of the worst valid ranking value over the period's rounds before its registration. */
  readonly unasked: FieldSum
  /** Sum of the score of a missing answer over rounds since its registration without a row, because it was retired. */
  readonly missed: FieldSum
  /** Number of its scores by version of the contract's code. */
  readonly contractVersions: Readonly<Record<string, number>>
  /** For each numeric field of the score. */
  readonly sums: Readonly<Record<string, FieldSum>>
  /** `null` where a metric is not defined on these data. */
  readonly metrics: Readonly<Record<string, number | null>>
}

/** What a standing adds up. */
export type SnapshotTotals = Pick<
  Snapshot,
  'modelId' | 'periodEnd' | 'dueCount' | 'answeredCount' | 'validCount' | 'excusedCount' | 'unasked' | 'missed' | 'sums'
>

/** The mean of each numeric score field; `null` without data. */
export function snapshotMeans(snapshot: Snapshot): Record<string, number | null> {
  return Object.fromEntries(
    Object.entries(snapshot.sums).map(([field, { sum, count }]) => [field, count === 0 ? null : sum / count]),
  )
}
