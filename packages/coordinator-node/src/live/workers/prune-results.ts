import { wait } from '@crunch/local-processes'
import { resolveContract } from '../../contract/resolved-contract.ts'
import { formatInstant } from '../../domain/time.ts'
import type { PruneResults } from '../../ports/store-retention.ts'
import type { WorkerContext } from './worker-context.ts'

const hourMs = 3_600_000
const dayMs = 86_400_000
/** Predictions, or snapshots, of one transaction: other statements never wait long. */
const batchRows = 10_000

/**
 * At the start and every hour, deletes rounds older than ROUND_TTL_DAYS, and snapshots and leaderboards older than
 * SNAPSHOT_TTL_DAYS. The store keeps what is still needed. Without these settings nothing is ever deleted.
 */
export async function pruneResults({ contract, settings, store, clock, log, signal }: WorkerContext): Promise<void> {
  const { ROUND_TTL_DAYS: roundDays, SNAPSHOT_TTL_DAYS: snapshotDays } = settings
  const windowMs = Math.max(...resolveContract(contract).windows.map(({ lengthMs }) => lengthMs))

  async function prune(
    what: string,
    days: number | undefined,
    batch: (request: PruneResults) => Promise<number>,
  ): Promise<void> {
    if (days === undefined) return
    const before = clock.now() - days * dayMs
    const limit = Math.max(1, Math.floor(batchRows / Math.max(1, (await store.models()).length)))
    let prunedCount = 0
    for (let count = limit; count === limit && !signal.aborted; prunedCount += count) {
      count = await batch({ before, windowMs, limit })
    }
    if (prunedCount > 0)
      log.info(`old ${what} were deleted`, { stage: 'score', before: formatInstant(before), prunedCount })
  }

  while (!signal.aborted && (roundDays ?? snapshotDays) !== undefined) {
    await prune('rounds', roundDays, store.pruneRounds)
    await prune('periods', snapshotDays, store.prunePeriods)
    await wait(hourMs, signal)
  }
}
