import type { Instant } from '../../../../domain/time.ts'
import type { TableSize } from '../../../../ports/reads/operations-reads.ts'
import type { BucketSpan, OutcomeSpan, PayoutFilter, RoundFilter } from '../../../../ports/reads/page-reads.ts'
import type { FeedTable } from '../feed-table.ts'
import type { PeriodTable } from '../period-table.ts'
import type { RoundTable } from '../round-table.ts'
import { fieldBuckets } from './field-buckets.ts'
import { modelOutcomes, modelPayouts } from './one-model.ts'
import { createRankings } from './rankings.ts'
import { roundSummaries } from './round-list.ts'
import { stageActivity } from './stage-activity.ts'

type Verb = <Args extends readonly unknown[], Result>(
  run: (...args: Args) => Result,
) => (...args: Args) => Promise<Result>

/** The reads of `PageReads`. */
export function pageVerbs(feeds: FeedTable, rounds: RoundTable, periods: PeriodTable, verb: Verb) {
  const rankings = createRankings(periods)
  return {
    periodEnds: verb(rankings.periodEnds),
    rankingsAt: verb(rankings.rankingsAt),
    modelOutcomes: verb((span: OutcomeSpan) => modelOutcomes(rounds.predictionsSince(span.from), span)),
    modelPayouts: verb((filter: PayoutFilter) => modelPayouts(periods.rows().checkpoints, filter)),
    stageActivity: verb((from: Instant, to: Instant) => stageActivity({ rounds, periods, feeds }, from, to)),
    tableSizes: verb((): readonly TableSize[] => []),
    roundSummaries: verb((filter: RoundFilter) => roundSummaries(rounds, filter)),
    fieldBuckets: verb((span: BucketSpan) => fieldBuckets(feeds, span)),
  }
}
