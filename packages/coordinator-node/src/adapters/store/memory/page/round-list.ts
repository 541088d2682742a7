import type { FeedScope } from '../../../../domain/feed-record.ts'
import type { PredictionStatus } from '../../../../domain/prediction.ts'
import { type Round, roundState } from '../../../../domain/round.ts'
import type { RoundFilter, RoundSummary } from '../../../../ports/reads/page-reads.ts'
import { compareText } from '../../compare-text.ts'
import type { RoundRow, RoundTable } from '../round-table.ts'

export function roundSummaries(rounds: RoundTable, filter: RoundFilter): readonly RoundSummary[] {
  return rounds
    .rows()
    .filter(({ round }) => isListed(round, filter))
    .sort((one, other) => compare(other.round, one.round))
    .slice(0, filter.limit)
    .map((row) => summaryOf(row, filter.bestBy))
}

type Key = Pick<Round, 'performedAt' | 'id'>

function compare(one: Key, other: Key): number {
  return one.performedAt - other.performedAt || compareText(one.id, other.id)
}

function isListed(round: Round, { from, to, state, scheduleKey, scope, after }: RoundFilter): boolean {
  return (
    round.performedAt >= from &&
    round.performedAt <= to &&
    (state === undefined || roundState(round) === state) &&
    (scheduleKey === undefined || round.scheduleKey === scheduleKey) &&
    Object.entries(scope).every(
      ([part, wanted]) => wanted === undefined || round.scope[part as keyof FeedScope] === wanted,
    ) &&
    (after === null || compare(round, after) < 0)
  )
}

function summaryOf({ round, predictions, scores }: RoundRow, bestBy: RoundFilter['bestBy']): RoundSummary {
  const { input: _, ...rest } = round
  const counts: Record<PredictionStatus, number> = { PENDING: 0, SCORED: 0, FAILED: 0, ABSENT: 0 }
  for (const { status } of predictions) counts[status] += 1
  const times = scores.flatMap((score) => score?.scoredAt ?? [])
  return { round: rest, counts, scoredAt: times.length === 0 ? null : Math.max(...times), best: bestOf(scores, bestBy) }
}

function bestOf(scores: RoundRow['scores'], { field, direction }: RoundFilter['bestBy']): RoundSummary['best'] {
  const sign = direction === 'asc' ? 1 : -1
  const valued = scores.flatMap((score) => {
    const value = score?.kind === 'valid' ? score.value?.[field] : null
    return score !== null && typeof value === 'number' ? [{ modelId: score.modelId, value }] : []
  })
  const [best] = valued.sort(
    (one, other) => sign * (one.value - other.value) || compareText(one.modelId, other.modelId),
  )
  return best ?? null
}
