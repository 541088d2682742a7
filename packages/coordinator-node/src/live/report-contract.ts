import type { AnyContract } from '../contract/crunch-contract.ts'
import { numericFields } from '../contract/numeric-fields.ts'
import { contractFeeds, resolveContract } from '../contract/resolved-contract.ts'
import { feedScopeKey } from '../domain/feed-record.ts'
import type { ReportContract } from '../report/report-context.ts'
import { describeCompetition } from './describe-competition.ts'

/** The parts of a contract that the API and its clients need. */
export function reportContract(contract: AnyContract, organizerId: string): ReportContract {
  const { newcomers, minRankCoverage, minPayCoverage, organizer, ...resolved } = resolveContract(contract, organizerId)
  return {
    feeds: contractFeeds(contract).map(({ scope }) => feedScopeKey(scope)),
    windows: Object.keys(contract.leaderboard.windows),
    windowMs: Object.fromEntries(resolved.windows.map(({ name, lengthMs }) => [name, lengthMs])),
    inputWindowMs: resolved.inputWindowMs,
    snapshotEveryMs: resolved.snapshotEveryMs,
    rankBy: contract.leaderboard.rankBy,
    direction: contract.leaderboard.direction,
    hasOwnOrder: contract.leaderboard.rank !== undefined,
    ...{ newcomers, minRankCoverage, minPayCoverage, organizer },
    reveal: contract.prediction.reveal ?? 'with truth',
    value: contract.leaderboard.value,
    metrics: contract.snapshot.metrics ?? [],
    scoreFields: numericFields(contract.score.schema),
    competition: describeCompetition(contract),
  }
}
