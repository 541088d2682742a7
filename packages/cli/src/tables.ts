import { printable } from '@crunch/local-processes'
import Table from 'cli-table3'
import type { SimulationResult } from './engine.ts'
import type { CheckpointRow, InfoRow, LeaderboardRow } from './report-api/report-client.ts'

/** 100 % of a payout. */
export const fullReward = 1_000_000_000

/** A text table with thin borders. */
export function formatTable(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const table = new Table({ head: head.map(printable), style: { head: [], border: [], compact: true } })
  // Escaped before widths are measured; a line break in a name would look like another row.
  table.push(...rows.map((row) => row.map(printable)))
  return table.toString()
}

/**
 * Formats a leaderboard, best model first: rank, model, cruncher, windows and metrics in the contract's order, and the number of
 * scores and rounds behind them. Unranked models show the reason. The era is shown above if there is more than one.
 */
export function formatLeaderboard(rows: readonly LeaderboardRow[], info: InfoRow = {}): string {
  return [...eraLines(rows, info), formatRanks(rows)].join('\n')
}

function eraLines(rows: readonly LeaderboardRow[], { era: current }: InfoRow): readonly string[] {
  const shown = rows[0]?.era
  if (current === undefined || current.number === 1) return shown === undefined || shown === 1 ? [] : [`Era ${shown}.`]
  const since = `Era ${current.number}, since ${printable(current.began_at)}`
  if (shown === undefined || shown === current.number) return [`${since}.`]
  return [`${since}. No period of it has closed yet: this is the last board of era ${shown}.`]
}

function formatRanks(rows: readonly LeaderboardRow[]): string {
  if (rows.length === 0) return 'The leaderboard is empty: no snapshot period has closed yet.'
  const keys = [...new Set(rows.flatMap((row) => row.score_columns))]
  return formatTable(
    [rankHead(rows), 'model', 'cruncher', ...keys.map((key) => scoreHead(key, rows)), ...coverageHead],
    rows.map((row) => [
      formatRank(row.rank, row.unranked_reason),
      row.model_name ?? row.model_id,
      row.cruncher_name ?? '',
      ...keys.map((key) => formatNumber(row.score_metrics[key] ?? null)),
      ...coverageCells({
        scoreCount: row.score_count,
        validCount: row.answered_count,
        roundCount: row.round_count,
        coverage: row.coverage,
      }),
    ]),
  )
}

/** The head of the rank column; a contract can define its own order. */
function rankHead([first]: readonly LeaderboardRow[]): string {
  return first?.score_ranking?.own_order === true ? "rank (the contract's own order)" : 'rank'
}

/** Marks the ranking column and its direction. */
function scoreHead(key: string, [first]: readonly LeaderboardRow[]): string {
  if (first?.score_ranking?.key !== key || first.score_ranking.own_order === true) return key
  return `${key} (${first.score_ranking.direction === 'asc' ? 'lowest' : 'highest'} first)`
}

/** Explains why values on a board differ from those of a checkpoint; empty unless both are shown. */
export function explainValues([first]: readonly LeaderboardRow[], checkpointCount: number): readonly string[] {
  if (first === undefined || checkpointCount === 0) return []
  return [
    `The board's values are of windows that end at ${first.created_at}; a checkpoint's values are of its period alone.`,
  ]
}

/** The columns of every board: the number of scores behind a value, and the share of all rounds that was answered. */
const coverageHead = ['scores', 'answered', 'coverage'] as const

function coverageCells(counts: {
  readonly scoreCount?: number | undefined
  readonly validCount?: number | null | undefined
  readonly roundCount?: number | null | undefined
  readonly coverage?: number | null | undefined
}): readonly string[] {
  const { scoreCount, validCount, roundCount, coverage } = counts
  const isKnown = typeof validCount === 'number' && typeof roundCount === 'number'
  return [
    scoreCount === undefined ? '' : String(scoreCount),
    isKnown ? `${validCount} of ${roundCount}` : '',
    typeof coverage === 'number' ? `${(coverage * 100).toFixed(1)} %` : '',
  ]
}

/** A checkpoint with the share of each model. */
export function formatCheckpoint(checkpoint: CheckpointRow): string {
  const rows = checkpoint.meta.ranking.map((entry) => [
    formatRank(entry.rank),
    entry.model_name ?? entry.model_id,
    formatNumber(entry.value),
    ...coverageCells({
      scoreCount: entry.prediction_count,
      validCount: entry.answered_count,
      roundCount: entry.round_count,
      coverage: entry.coverage,
    }),
    formatReward(entry.reward_pct),
    String(entry.reward_pct),
    formatReason(entry.unpaid_reason),
  ])
  const { floor, era = 1 } = checkpoint.meta
  const ofEra = era === 1 ? '' : ` of era ${era}`
  return [
    `Checkpoint ${checkpoint.id}${ofEra}: ${checkpoint.period_start} to ${checkpoint.period_end}, ${checkpoint.status}`,
    formatTable(['rank', 'model', 'value', ...coverageHead, 'share', 'reward', 'not paid'], rows),
    ...(typeof floor === 'number' ? [`Models with a value better than ${formatNumber(floor)} are paid.`] : []),
    formatEmission(checkpoint),
    ...checkpointRefusals(checkpoint),
  ].join('\n')
}

function checkpointRefusals({ meta, id }: CheckpointRow): readonly string[] {
  const { refusals = [], acknowledged_by: by = null, acknowledged_at: at } = meta
  if (refusals.length === 0) return []
  const accept = `not acknowledged, so it is not exported; accept it with: crunch checkpoint export ${id} --acknowledged-by NAME`
  return [...formatRefusals(refusals), by === null ? accept : `acknowledged by ${printable(by)} at ${at}`]
}

function formatEmission(checkpoint: CheckpointRow): string {
  const sum = emissionSum(checkpoint)
  const reason = checkpoint.meta.emission_reason ?? null
  if (sum === 0 && reason !== null) return `Emission: empty, since ${emptyEmissions[reason] ?? reason}`
  const verdict = isWholeEmission(checkpoint) ? 'exact' : 'WRONG: it must be exactly 100 %'
  return `Emission: ${sum} of ${fullReward} (${verdict})`
}

/** Why a payout is empty. */
const emptyEmissions: Readonly<Record<string, string>> = {
  no_payable_model: 'no model has answered enough to be paid',
  floor_unknown: 'the baseline of the floor has no value in this period: make sure that it runs',
  nobody_above_floor: 'no model is better than the floor',
}

/** Whether a payout is exactly 100 %, or empty with a reason. */
export function isWholeEmission(checkpoint: CheckpointRow): boolean {
  const sum = emissionSum(checkpoint)
  return sum === fullReward || (sum === 0 && (checkpoint.meta.emission_reason ?? null) !== null)
}

/** One line with the progress of the data. */
export function formatProgress(progress: ReplayProgress): string {
  const data = progress.watermark === null ? 'no data yet' : `data up to ${progress.watermark}`
  return `${data}, ${progress.recordCount} records, ${progress.modelCount} models`
}

/** The progress of a deployment. */
export interface ReplayProgress {
  readonly watermark: string | null
  readonly recordCount: number
  readonly modelCount: number
}

/** The sum of a payout. */
export function emissionSum(checkpoint: CheckpointRow): number {
  return (checkpoint.entries[0]?.cruncher_rewards ?? []).reduce((sum, { reward_pct }) => sum + reward_pct, 0)
}

/** Formats leaderboard, checkpoints, counts and digest of a simulation. */
export function formatSimulation(result: SimulationResult, board: readonly LeaderboardRow[]): string {
  const names = new Map(result.rows.models.map(({ id, name }) => [id, name]))
  const checkpoints = result.checkpoints.map((checkpoint) => {
    const { emissionReason } = checkpoint
    const shares = checkpoint.entries.map(({ modelId, rewardFrac64, unpaidReason }) => {
      const share = unpaidReason === null ? formatReward(rewardFrac64) : `nothing (${formatReason(unpaidReason)})`
      return `${names.get(modelId) ?? modelId} ${share}`
    })
    const empty = emissionReason === null ? [] : [`empty, since ${emptyEmissions[emissionReason] ?? emissionReason}`]
    return `${checkpoint.id}: ${[...empty, ...shares].join(', ')}`
  })
  const counts = Object.entries(result.counts).map(([name, count]) => `${name} ${count}`)
  return [
    formatLeaderboard(board),
    checkpoints.length === 0 ? 'No checkpoint closed.' : checkpoints.join('\n'),
    ...explainValues(board, checkpoints.length),
    counts.join(', '),
    ...formatHoles(result.holes),
    ...formatRefusals(result.refusals),
    `digest ${result.digest}`,
  ].join('\n')
}

const refused: Readonly<Record<SimulationResult['refusals'][number]['what'], string>> = {
  inputs: 'inputs could not be built',
  truths: 'rounds have no truth',
  scores: 'scores failed',
}

/** What the contract refused or threw, one line per kind. */
export function formatRefusals(refusals: SimulationResult['refusals']): string[] {
  return refusals.map(({ what, count, of, reason }) => {
    const counted = of === null ? `${count}` : `${count} of ${of}`
    return `${counted} ${refused[what]}; the first: ${reason}`
  })
}

const shownHoles = 5

/** The gaps of a recording; empty if there are none. */
function formatHoles(holes: SimulationResult['holes']): string[] {
  const shown = holes.slice(0, shownHoles).map(({ scope, from, to, missingCount }) => {
    const stretch = `${new Date(from).toISOString()} to ${new Date(to).toISOString()}`
    return `missing: ${scope.subject} ${stretch}, ${missingCount} records`
  })
  return holes.length > shownHoles ? [...shown, `missing: ${holes.length - shownHoles} more stretches`] : shown
}

/** `1 finding`, `2 findings`. */
export function countOf(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? '' : 's'}`
}

/** The rank of a model, or why it has none. */
function formatRank(rank: number | null, unrankedReason?: string | null): string {
  return rank === null || rank >= 999_999 ? formatReason(unrankedReason) || '-' : String(rank)
}

/** `low_coverage` reads `low coverage`. */
function formatReason(reason: string | null | undefined): string {
  return reason?.replaceAll('_', ' ') ?? ''
}

/** A number with five significant digits; empty for a missing value. */
function formatNumber(value: number | null): string {
  return typeof value === 'number' ? value.toPrecision(5).replace(/\.?0+$/, '') : ''
}

export function formatReward(reward: number): string {
  return `${((reward / fullReward) * 100).toFixed(2)} %`
}
