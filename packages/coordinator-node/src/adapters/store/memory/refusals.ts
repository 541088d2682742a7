import { type Refusal, refusedScores, type StandingRefusal } from '../../../domain/progress/refusal.ts'
import type { Instant } from '../../../domain/time.ts'
import type { RoundRow } from './round-table.ts'

/** Refusals of the contract in rounds ordered by (resolvableAt, id). */
export function refusalsOf(rows: readonly RoundRow[]): readonly Refusal[] {
  const truths = rows.flatMap(({ refusedTruth }) => refusedTruth ?? [])
  const failed = rows.flatMap((row) => refusedScores(scoresOf(row)) ?? [])
  const [reason] = truths
  return [
    ...(reason === undefined ? [] : [{ what: 'truths' as const, count: truths.length, of: rows.length, reason }]),
    ...failed.slice(0, 1).map((first) => ({
      what: 'scores' as const,
      count: failed.reduce((sum, { count }) => sum + count, 0),
      of: rows.reduce((sum, row) => sum + scoresOf(row).length, 0),
      reason: first.reason,
    })),
  ]
}

/** The refused truths and scores of a schedule since its last round without a refusal. */
export function standingRefusals(scheduleKey: string, rows: readonly RoundRow[]): readonly StandingRefusal[] {
  const own = rows.filter(({ round }) => round.scheduleKey === scheduleKey)
  const truths = own.slice(own.findLastIndex(hasTruth) + 1).filter(({ refusedTruth }) => refusedTruth !== null)
  const scored = own.filter((row) => hasTruth(row) && scoresOf(row).length > 0)
  const failed = scored.slice(scored.findLastIndex((row) => refusedScores(scoresOf(row)) === null) + 1)
  return [truths, failed].flatMap((refused) => {
    const since = refused[0]?.round.resolvableAt
    if (since === undefined) return []
    // Only refusals follow the last truth, so there is no total for them.
    return refusalsOf(refused).map((one) => ({ ...one, of: one.what === 'truths' ? null : one.of, scheduleKey, since }))
  })
}

function hasTruth({ round }: RoundRow): boolean {
  return round.status === 'RESOLVED' && round.voidReason === null
}

const scoresOf = ({ scores }: RoundRow) => scores.filter((score) => score !== null)

/** Consecutive refused inputs of a schedule, the newest one at `newestAt`. */
export interface RefusedInputs {
  readonly count: number
  readonly since: Instant
  readonly newestAt: Instant
  readonly reason: string
}

/** They stand until a later round opens. */
export function standingInputs(
  scheduleKey: string,
  inputs: RefusedInputs | undefined,
  lastRoundAt: Instant | undefined,
): readonly StandingRefusal[] {
  if (inputs === undefined || inputs.newestAt <= (lastRoundAt ?? Number.NEGATIVE_INFINITY)) return []
  const { count, since, reason } = inputs
  return [{ what: 'inputs', scheduleKey, count, of: null, since, reason }]
}
