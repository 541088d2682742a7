import { wait } from '@crunch/local-processes'
import { resolveContract } from '../../contract/resolved-contract.ts'
import { gateRecordCount } from '../../domain/feed-trust.ts'
import { formatInstant } from '../../domain/time.ts'
import type { WorkerContext } from '../workers/worker-context.ts'

const hourMs = 3_600_000
const dayMs = 86_400_000
/** Records per transaction. Small, so that other transactions never wait long. */
const batchRecords = 10_000

/** At the start and every hour, deletes records that are older than FEED_RECORD_TTL_DAYS and no longer needed. */
export async function pruneFeeds({ contract, settings, store, clock, log, signal }: WorkerContext): Promise<void> {
  const { inputWindowMs, feeds } = resolveContract(contract)
  // The window of the input, and what settling reads before the start of a round.
  const keepMs = Math.max(
    ...[inputWindowMs, dayMs],
    ...feeds.map(({ granularityMs, gate }) => (100 + (gate === null ? 0 : gateRecordCount(gate))) * granularityMs),
  )
  while (!signal.aborted) {
    const before = clock.now() - Math.max(settings.FEED_RECORD_TTL_DAYS * dayMs, keepMs)
    let prunedCount = 0
    for (let count = batchRecords; count === batchRecords && !signal.aborted; prunedCount += count) {
      count = await store.pruneRecords({ before, keepMs, limit: batchRecords })
    }
    if (prunedCount > 0) {
      log.info('old records were deleted', { stage: 'feed', before: formatInstant(before), prunedCount })
    }
    await wait(hourMs, signal)
  }
}
