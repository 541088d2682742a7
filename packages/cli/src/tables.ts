import Table from 'cli-table3'
import type { SimulationResult } from './engine.ts'
import type { CheckpointRow, LeaderboardRow } from './report-client.ts'

/** 100 % of a payout. */
export const fullReward = 1_000_000_000

/** A table of text with a quiet frame. */
export function formatTable(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const table = new Table({ head: [...head], style: { head: [], border: [], compact: true } })
  table.push(...rows.map((row) => [...row]))
  return table.toString()
}

/** Rank, model, cruncher and each window, best first. */
export function formatLeaderboard(rows: readonly LeaderboardRow[]): string {
  if (rows.length === 0) return 'The leaderboard is empty: no snapshot period has closed yet.'
  const keys = [...new Set(rows.flatMap((row) => Object.keys(row.score_metrics ?? {})))]
  return formatTable(
    ['rank', 'model', 'cruncher', ...keys],
    rows.map((row) => [
      formatRank(row.rank),
      row.model_name ?? row.model_id,
      row.cruncher_name ?? '',
      ...keys.map((key) => formatNumber(row.score_metrics?.[key] ?? null)),
    ]),
  )
}

/** A checkpoint with who gets what of it. */
export function formatCheckpoint(checkpoint: CheckpointRow): string {
  const rows = checkpoint.meta.ranking.map((entry) => [
    formatRank(entry.rank),
    entry.model_name ?? entry.model_id,
    formatNumber(entry.value),
    formatReward(entry.reward_pct),
    String(entry.reward_pct),
  ])
  const sum = emissionSum(checkpoint)
  return [
    `Checkpoint ${checkpoint.id}: ${checkpoint.period_start} to ${checkpoint.period_end}, ${checkpoint.status}`,
    formatTable(['rank', 'model', 'value', 'share', 'reward'], rows),
    `Emission: ${sum} of ${fullReward} (${sum === fullReward ? 'exact' : 'WRONG: it must be exactly 100 %'})`,
  ].join('\n')
}

/** One line that says how far the data have come. */
export function formatProgress(progress: ReplayProgress): string {
  const at = progress.watermark ?? 'no data yet'
  return `data up to ${at}, ${progress.recordCount} records, ${progress.modelCount} models`
}

/** How far a deployment has come. */
export interface ReplayProgress {
  readonly watermark: string | null
  readonly recordCount: number
  readonly modelCount: number
}

/** What a payout adds up to. */
export function emissionSum(checkpoint: CheckpointRow): number {
  return (checkpoint.entries[0]?.cruncher_rewards ?? []).reduce((sum, { reward_pct }) => sum + reward_pct, 0)
}

/** Leaderboard, checkpoints, counts and digest of a simulation. */
export function formatSimulation(result: SimulationResult, names: ReadonlyMap<string, string>): string {
  const entries = result.leaderboard?.entries ?? []
  const windows = Object.keys(entries[0]?.windows ?? {})
  const metrics = Object.keys(entries[0]?.metrics ?? {})
  const ranks = formatTable(
    ['rank', 'model', ...windows, ...metrics, 'coverage'],
    entries.map((entry) => [
      formatRank(entry.rank),
      names.get(entry.modelId) ?? entry.modelId,
      ...windows.map((name) => formatNumber(entry.windows[name] ?? null)),
      ...metrics.map((name) => formatNumber(entry.metrics[name] ?? null)),
      entry.coverage === null ? '' : `${(entry.coverage * 100).toFixed(1)} %`,
    ]),
  )
  const checkpoints = result.checkpoints.map((checkpoint) => {
    const shares = checkpoint.entries.map(
      (entry) => `${names.get(entry.modelId) ?? entry.modelId} ${formatReward(entry.rewardFrac64)}`,
    )
    return `${checkpoint.id}: ${shares.join(', ')}`
  })
  const counts = Object.entries(result.counts).map(([name, count]) => `${name} ${count}`)
  return [
    entries.length === 0 ? 'The leaderboard is empty: no snapshot period closed.' : ranks,
    checkpoints.length === 0 ? 'No checkpoint closed.' : checkpoints.join('\n'),
    counts.join(', '),
    ...formatHoles(result.holes),
    `digest ${result.digest}`,
  ].join('\n')
}

const shownHoles = 5

/** What a recording leaves out; nothing for one that is whole. */
function formatHoles(holes: SimulationResult['holes']): string[] {
  const shown = holes.slice(0, shownHoles).map(({ scope, from, to, missingCount }) => {
    const stretch = `${new Date(from).toISOString()} to ${new Date(to).toISOString()}`
    return `missing: ${scope.subject} ${stretch}, ${missingCount} records`
  })
  return holes.length > shownHoles ? [...shown, `missing: ${holes.length - shownHoles} more stretches`] : shown
}

/** A model without a rank has none to show. */
export function formatRank(rank: number | null): string {
  return rank === null || rank >= 999_999 ? '-' : String(rank)
}

/** Five figures; nothing for no value. */
export function formatNumber(value: number | null): string {
  return typeof value === 'number' ? value.toPrecision(5).replace(/\.?0+$/, '') : ''
}

function formatReward(reward: number): string {
  return `${((reward / fullReward) * 100).toFixed(2)} %`
}
