import { CrunchError } from '../../domain/errors.ts'
import { type FeedState, feedScopeKey } from '../../domain/feed-record.ts'
import { isFresh } from '../../domain/feed-trust.ts'
import type { Model } from '../../domain/models/model.ts'
import { isRefusal } from '../../domain/models/model-history.ts'
import { formatInstant, type Instant, parseDuration } from '../../domain/time.ts'
import type { ReportReads } from '../../ports/reads/report-reads.ts'
import type { ReportContext, Standstill } from '../report-context.ts'

/** Half of the 2 s in which the state must be told: on a busy machine, timers and sending the answer have taken half a second. */
const readLimitMs = 1_000

/** Reads that end in time in any state of the database. */
export function readInTime<Result>(
  { reads, probe }: Pick<ReportContext, 'reads' | 'probe'>,
  read: (reads: ReportReads) => Promise<Result>,
): Promise<Result> {
  return probe === undefined ? read(reads) : probe(readLimitMs, read)
}

/** Why the database cannot be used, for the public and in the log; any other error is thrown again. */
export function databaseReason(error: unknown, { log }: Pick<ReportContext, 'log'>): string {
  if (!(error instanceof CrunchError) || !isStoreFault(error)) throw error
  const problem = error.code === 'STORE_CORRUPT' ? 'damaged' : 'unreachable'
  log.warn(`database ${problem}`, { stage: 'report', error: error.message })
  const cause = error.publicReason === undefined ? '' : `: ${error.publicReason}`
  return `the database is ${problem}${cause}`
}

const isStoreFault = ({ code }: CrunchError) => code === 'STORE_UNAVAILABLE' || code === 'STORE_CORRUPT'

export function describeStandstill({ what, since, heldUpBy, fix }: Standstill): string {
  return `${what}, since ${formatInstant(since)}; cause: ${heldUpBy}; fix: ${fix}`
}

/** The operator must decide who owns an id; until then one of two participants has no rows. */
export function refusedModels(models: readonly Model[]): string[] {
  return models.flatMap(({ id, retirements }) => {
    const newest = retirements.at(-1)
    return newest?.until === null && isRefusal(newest.reason) ? [`model ${id} is refused: ${newest.reason}`] : []
  })
}

/** Why a feed is not to be trusted now; `null` if it is. */
export function feedReason(feed: FeedState, now: Instant): string | null {
  const key = feedScopeKey(feed.scope)
  if (feed.status !== 'up') {
    const cause = feed.statusReason === null ? '' : `: ${feed.statusReason}`
    // A replay has no time before its first record.
    const since = feed.statusSince > 0 ? ` since ${formatInstant(feed.statusSince)}` : ''
    return `feed ${key} is ${feed.status}${since}${cause}`
  }
  if (feed.watermarkAt === null) return null
  // A dead worker cannot report that its feed is stale, and a live one checks only periodically.
  const granularityMs = parseDuration(feed.scope.granularity) ?? 0
  if (isFresh(feed.watermarkAt, granularityMs, now)) return null
  if (feed.watermarkAt > now) {
    const known = formatInstant(feed.watermarkAt)
    return `feed ${key}: its newest record, known at ${known}, is from the future: a clock is wrong; set it (NTP)`
  }
  return `feed ${key} has had no new record since ${formatInstant(feed.watermarkAt)}`
}
