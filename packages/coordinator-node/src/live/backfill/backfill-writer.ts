import { appendToArchive } from '../../adapters/feeds/parquet/append-to-archive.ts'
import type { ResolvedContract } from '../../contract/resolved-contract.ts'
import type { BackfillJob } from '../../domain/backfill-job.ts'
import { CrunchError } from '../../domain/errors.ts'
import { feedScopeKey } from '../../domain/feed-record.ts'
import type { Log } from '../../ports/log.ts'
import type { FeedStore } from '../../ports/store-feed.ts'
import { acceptRecords } from '../../stages/feed/accept-records.ts'
import type { BackfillOptions } from './run-backfill.ts'

export interface WriterContext {
  readonly resolved: ResolvedContract
  readonly store: Pick<FeedStore, 'appendPast'>
  readonly log: Log
  readonly now: () => number
}

/** Records per write: in the tables a batch is one statement; in the archive it rewrites all its days. */
const batchRecords = { tables: 10_000, parquet: 100_000 }

/** Creates the writer for a job. Throws a `CrunchError` BAD_REQUEST for a series that the tables may not contain. */
export function backfillWriter(
  { scope, target, directory }: Pick<BackfillJob, 'scope' | 'target' | 'directory'>,
  { resolved, store, log, now }: WriterContext,
): Pick<BackfillOptions, 'write' | 'batchRecords'> {
  if (target === 'parquet') {
    if (directory === null) throw new CrunchError('BAD_REQUEST', 'a backfill into Parquet needs a directory')
    return { batchRecords: batchRecords.parquet, write: (records) => appendToArchive(directory, records) }
  }
  const key = feedScopeKey(scope)
  const known = resolved.feeds.map((feed) => feedScopeKey(feed.scope))
  if (!known.includes(key)) {
    const cause = `the tables hold the feeds of the contract (${known.join(', ')}), but not ${key}`
    throw new CrunchError('BAD_REQUEST', `${cause}: name one of them, or write Parquet with --target parquet`)
  }
  return {
    batchRecords: batchRecords.tables,
    write(records) {
      const receivedAt = now()
      const received = records.map((record) => ({ ...record, receivedAt }))
      return store.appendPast(acceptRecords(resolved, log, received))
    },
  }
}
