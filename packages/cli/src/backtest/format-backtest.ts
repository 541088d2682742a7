import type { LeaderboardRow } from '../report-api/report-client.ts'
import { formatLeaderboard, formatRefusals } from '../tables.ts'
import type { BacktestReport } from './backtest-report.ts'

/** Ranks, counts, and why rounds failed, for a person. */
export function formatBacktest(report: BacktestReport, board: readonly LeaderboardRow[]): string {
  const { model, records, rounds, counts, latency, restarts, lastFailure, digest } = report
  const counted = Object.entries(counts).map(([key, count]) => `${key} ${count}`)
  const lines = [
    // A workspace's example may have the same name.
    formatLeaderboard(
      board.map((row) => (row.model_id === model.id ? { ...row, model_name: `> ${model.name}` } : row)),
    ),
    `${model.name}: ${rounds} rounds of ${records} records; ${counted.join(', ') || 'no prediction'}`,
    ...(latency === null ? [] : [`calls: p50 ${ms(latency.p50)}, p95 ${ms(latency.p95)}, longest ${ms(latency.max)}`]),
    ...(restarts === 0 ? [] : [`its process was restarted ${restarts} times`]),
    ...(lastFailure === null ? [] : [`last failure: ${lastFailure.code}: ${lastFailure.reason}`]),
    ...formatFailures(report),
    ...formatRefusals(report.refusals),
    `digest ${digest}`,
  ]
  return lines.join('\n')
}

function formatFailures({ failures, stderr }: BacktestReport): readonly string[] {
  if (failures.length === 0) return []
  return [
    'The first rounds that failed:',
    ...failures.map(({ at, subject, status, reason, detail }) => `  ${at} ${subject}: ${status} ${reason}: ${detail}`),
    ...(stderr.length === 0 ? [] : ['The last lines of its stderr:', ...stderr.map((line) => `  ${line}`)]),
  ]
}

function ms(durationMs: number): string {
  return `${durationMs.toFixed(1)} ms`
}
