import type { ModelStatus } from '@crunch/model-orchestrator'
import type { SimulationResult } from '../engine.ts'
import type { OutputLine } from '../local-model/read-model-output.ts'

/** A sample is enough: the counts show how often each failure happened. */
const maxFailures = 5
const maxStackLines = 20

/** The result of a back-test. */
export interface BacktestReport {
  readonly model: { readonly id: string; readonly name: string }
  readonly leaderboard: readonly {
    readonly rank: number | null
    readonly unrankedReason: string | null
    readonly modelId: string
    readonly modelName: string
    readonly isBacktested: boolean
    readonly windows: Readonly<Record<string, number | null>>
    readonly metrics: Readonly<Record<string, number | null>>
    readonly scoreCount: number
    readonly validCount: number
    readonly roundCount: number
    readonly coverage: number | null
  }[]
  /** Number of predictions of the tested model, by status, and by status and reason where there is a reason. */
  readonly counts: Readonly<Record<string, number>>
  /** Latency of its calls in milliseconds; `null` if no call was answered. */
  readonly latency: { readonly p50: number; readonly p95: number; readonly max: number } | null
  /** The first few of its FAILED or ABSENT predictions, whether the model or the engine is to blame. */
  readonly failures: readonly {
    readonly at: string
    readonly subject: string
    readonly status: string
    readonly reason: string
    readonly detail: string
  }[]
  /** If it failed: the newest lines that it printed to stderr, stack traces included. */
  readonly stderr: readonly string[]
  /** How often its process was restarted, and why it last failed. */
  readonly restarts: number
  readonly lastFailure: { readonly code: string; readonly reason: string } | null
  /** What the contract refused or threw, in the rounds of all models. */
  readonly refusals: SimulationResult['refusals']
  /** Why there are no predictions or no scores; `null` if there are both. */
  readonly failure: string | null
  readonly records: number
  readonly rounds: number
  readonly digest: string
}

/** Summarises the rows of a back-test for the author of the model. */
export function backtestReport(input: {
  readonly result: SimulationResult
  readonly names: ReadonlyMap<string, string>
  readonly modelId: string
  readonly status: ModelStatus
  readonly output: readonly OutputLine[]
}): BacktestReport {
  const { result, names, modelId, status, output } = input
  const nameOf = (id: string) => names.get(id) ?? id
  const own = result.rows.predictions.filter((prediction) => prediction.modelId === modelId)
  const subjects = new Map(result.rows.rounds.map((round) => [round.id, round.scope.subject]))
  const failed = own.filter(({ status: is }) => is === 'FAILED' || is === 'ABSENT')
  const errors = output.filter(({ error }) => error).map(({ message }) => message)
  return {
    model: { id: modelId, name: nameOf(modelId) },
    leaderboard: (result.leaderboard?.entries ?? []).map((entry) => ({
      rank: entry.rank,
      unrankedReason: entry.unrankedReason,
      modelId: entry.modelId,
      modelName: nameOf(entry.modelId),
      isBacktested: entry.modelId === modelId,
      windows: entry.windows,
      metrics: entry.metrics,
      scoreCount: entry.scoreCount,
      validCount: entry.validCount,
      roundCount: entry.roundCount,
      coverage: entry.coverage,
    })),
    counts: countBy(own, ({ status: is, reason }) => (reason === null ? is : `${is} ${reason}`)),
    latency: latencyOf(own.flatMap(({ durationMs }) => durationMs ?? [])),
    failures: failed.slice(0, maxFailures).map((prediction) => ({
      at: new Date(prediction.performedAt).toISOString(),
      subject: subjects.get(prediction.roundId) ?? '',
      status: prediction.status,
      reason: prediction.reason ?? '',
      detail: prediction.detail ?? '',
    })),
    stderr: failed.length === 0 ? [] : errors.slice(-maxStackLines),
    restarts: status.restarts,
    lastFailure: status.lastFailure && { code: status.lastFailure.code, reason: status.lastFailure.reason },
    refusals: result.refusals,
    failure: result.failure,
    records: result.counts.records,
    rounds: result.counts.rounds,
    digest: result.digest,
  }
}

function countBy<Item>(items: readonly Item[], keyOf: (item: Item) => string): Readonly<Record<string, number>> {
  const counts: Record<string, number> = {}
  for (const key of items.map(keyOf).sort()) counts[key] = (counts[key] ?? 0) + 1
  return counts
}

function latencyOf(durations: readonly number[]): BacktestReport['latency'] {
  const sorted = durations.toSorted((a, b) => a - b)
  const at = (share: number) => sorted[Math.max(0, Math.ceil(share * sorted.length) - 1)] ?? 0
  return sorted.length === 0 ? null : { p50: at(0.5), p95: at(0.95), max: at(1) }
}
