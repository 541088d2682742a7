import { coverageCells, coverageHead, formatNumber, formatRank, formatRefusals, formatTable } from '../tables.ts'
import type { BacktestReport } from './backtest-report.ts'

/** Ranks, counts, and why rounds failed, for a person. */
export function formatBacktest(report: BacktestReport): string {
  const { model, records, rounds, counts, latency, restarts, lastFailure, digest } = report
  const counted = Object.entries(counts).map(([key, count]) => `${key} ${count}`)
  const lines = [
    formatRanks(report),
    `${model.name}: ${rounds} rounds of ${records} records; ${counted.join(', ') || 'no prediction'}`,
    ...(latency === null ? [] : [`calls: p50 ${ms(latency.p50)}, p95 ${ms(latency.p95)}, longest ${ms(latency.max)}`]),
    ...(restarts === 0 ? [] : [`its process was started again ${restarts} times`]),
    ...(lastFailure === null ? [] : [`last failure: ${lastFailure.code}: ${lastFailure.reason}`]),
    ...formatFailures(report),
    ...formatRefusals(report.refusals),
    `digest ${digest}`,
  ]
  return lines.join('\n')
}

function formatRanks({ leaderboard }: BacktestReport): string {
  const [first] = leaderboard
  if (first === undefined) return 'The leaderboard is empty: no snapshot period closed.'
  const windows = Object.keys(first.windows)
  const metrics = Object.keys(first.metrics)
  return formatTable(
    ['rank', 'model', ...windows, ...metrics, ...coverageHead],
    leaderboard.map((row) => [
      formatRank(row.rank, row.unrankedReason),
      // A workspace's example may have the same name.
      row.isBacktested ? `> ${row.modelName}` : row.modelName,
      ...windows.map((name) => formatNumber(row.windows[name] ?? null)),
      ...metrics.map((name) => formatNumber(row.metrics[name] ?? null)),
      ...coverageCells(row),
    ]),
  )
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
