import { errorText } from '@crunch/local-processes/errors'
import type { BackfillJob, BackfillStatus } from '../../domain/backfill-job.ts'
import { CrunchError } from '../../domain/errors.ts'
import { feedScopeKey } from '../../domain/feed-record.ts'
import { formatInstant, type Instant } from '../../domain/time.ts'
import { FeedInterrupted, type FeedSource, type SourceRecord } from '../../ports/feed-source.ts'
import type { Log } from '../../ports/log.ts'
import type { BackfillStore } from '../../ports/store-backfill.ts'
import type { WorkerStore } from '../../ports/store-workers.ts'
import { requireOffered } from '../follow/offered-series.ts'
import { type Patience, retryWaitMs, type Timing } from '../follow/timing.ts'

/** A job's progress, reported after each write. */
export type BackfillProgress = Pick<BackfillJob, 'from' | 'to' | 'cursor' | 'recordCount' | 'pageCount'>

export interface BackfillOptions {
  readonly store: Omit<BackfillStore, 'addBackfillJob'> & Pick<WorkerStore, 'takeLease'>
  readonly source: FeedSource
  /** Writes records of the job; some may already be stored. */
  readonly write: (records: readonly SourceRecord[]) => Promise<unknown>
  /** Maximum records per write, fewer if they are large. A source that is faster than writing is paused. */
  readonly batchRecords: number
  readonly log: Log
  readonly timing: Timing
  readonly patience: Pick<Patience, 'firstMs' | 'longestMs'>
  /** How many times in a row an interrupted source is retried without any record before the job fails. */
  readonly maxTries: number
  /** Stops the run; the job can be resumed. */
  readonly signal: AbortSignal
  /** The statuses in which it is continued; absent: all but `completed`. */
  readonly from?: readonly BackfillStatus[]
  readonly onProgress?: (progress: BackfillProgress) => void
}

interface Run extends BackfillOptions {
  readonly job: BackfillJob
  readonly signal: AbortSignal
  progress: BackfillProgress
}

/**
 * Continues a job from its cursor until it is completed, failed or cancelled, or `signal` aborts; returns its final state.
 * A page is written before the cursor moves, so a process that dies loses nothing: its last page is written again, which
 * changes nothing. Rejects with LEASE_HELD while another process runs the job, with NOT_FOUND for an unknown job, and with
 * STORE_UNAVAILABLE.
 */
export async function runBackfill(id: string, options: BackfillOptions): Promise<BackfillJob> {
  const { store, timing } = options
  const lease = await store.takeLease(`backfill ${id}`)
  if (lease === null) {
    throw new CrunchError('LEASE_HELD', `the backfill ${id} is being run by another process: wait for it, or cancel it`)
  }
  const lost = new AbortController()
  void lease.lost.then(() => lost.abort())
  try {
    const job = await findJob(store, id)
    const move = { to: 'running', error: null, at: timing.now(), ...(options.from && { from: options.from }) } as const
    if (!(await store.moveBackfillJob(id, move))) return findJob(store, id)
    const run: Run = { ...options, job, signal: AbortSignal.any([options.signal, lost.signal]), progress: job }
    await toItsEnd(run)
    if (lost.signal.aborted) throw new CrunchError('STORE_UNAVAILABLE', `the backfill ${id} lost its lease: resume it`)
    return findJob(store, id)
  } finally {
    await lease.release()
  }
}

async function findJob(store: Pick<BackfillStore, 'backfillJobs'>, id: string): Promise<BackfillJob> {
  const job = (await store.backfillJobs()).find((candidate) => candidate.id === id)
  if (job !== undefined) return job
  throw new CrunchError('NOT_FOUND', `there is no backfill ${id}: list them with crunch backfill list`)
}

async function toItsEnd(run: Run): Promise<void> {
  const { store, job, log, timing, signal } = run
  let failures = 0
  let seenCursor = run.progress.cursor
  while (!signal.aborted) {
    try {
      if (!(await takeHistory(run))) return
      const to = signal.aborted ? 'pending' : 'completed'
      await store.moveBackfillJob(job.id, { to, error: null, at: timing.now() })
      return
    } catch (error) {
      if (error instanceof CrunchError && error.code === 'STORE_UNAVAILABLE') throw error
      failures = run.progress.cursor > seenCursor ? 1 : failures + 1
      seenCursor = run.progress.cursor
      if (!(error instanceof FeedInterrupted) || failures >= run.maxTries) {
        await fail(run, error, failures)
        return
      }
      const waitMs = retryWaitMs(failures, error.retryAfterMs, run.patience, timing)
      log.warn('the source was interrupted; retrying', {
        stage: 'feed',
        scope: feedScopeKey(job.scope),
        reason: error.message,
        waitMs: Math.round(waitMs),
      })
      await timing.wait(waitMs, signal)
    }
  }
  await store.moveBackfillJob(job.id, { to: 'pending', error: null, at: timing.now() })
}

/** An expected error fails the job; any other is a bug and is thrown with its stack. */
async function fail({ store, job, timing }: Run, error: unknown, failures: number): Promise<void> {
  const reason = errorText(error)
  const text = error instanceof FeedInterrupted ? `${reason} (${failures} times without any record)` : reason
  await store.moveBackfillJob(job.id, { to: 'failed', error: text, at: timing.now() })
  if (!(error instanceof CrunchError)) throw error
}

/** Fetches and writes from the cursor to the end, or until `signal` aborts. `false`: the job was cancelled. */
async function takeHistory(run: Run): Promise<boolean> {
  const { source, job, signal, batchRecords } = run
  requireOffered(await source.describe(signal), [job.scope])
  if (source.history === undefined) {
    const scope = feedScopeKey(job.scope)
    throw new CrunchError(
      'FEED_UNAVAILABLE',
      `the source of ${scope} keeps no history: collect it live, with crunch record`,
    )
  }
  const writer = createBatchWriter(run, batchRecords)
  try {
    for await (const page of source.history(job.scope, run.progress.cursor, job.to, signal)) {
      if (!(await writer.add(page))) return false
      if (signal.aborted) break
    }
  } finally {
    // Records fetched before an interruption are written too.
    await writer.flush()
  }
  if (!signal.aborted && !writer.isCancelled()) return advance(run, { cursor: job.to, recordCount: 0, pageCount: 0 })
  return !writer.isCancelled()
}

interface Batch {
  readonly records: SourceRecord[]
  pageCount: number
  /** Approximate size of the values as text. */
  bytes: number
}

/** Limits a batch by size as well: order books are hundreds of times as large as candles. */
const maxBatchBytes = 32 * 1024 * 1024
const emptyBatch = (): Batch => ({ records: [], pageCount: 0, bytes: 0 })

/** Writes one batch while the next one is fetched. A batch is everything that arrived meanwhile, so a slow source is written page by page. */
function createBatchWriter(run: Run, batchRecords: number) {
  let batch = emptyBatch()
  let writing: Promise<void> | undefined
  let isCancelled = false
  let failure: { readonly error: unknown } | undefined

  function begin(): void {
    const { records, pageCount } = batch
    if (records.length === 0) return
    batch = emptyBatch()
    writing = write()
      .catch((error: unknown) => {
        failure = { error }
      })
      .finally(() => {
        writing = undefined
      })

    async function write(): Promise<void> {
      await run.write(records)
      const cursor = Math.min(run.job.to, lastEventAt(records) + 1)
      if (!(await advance(run, { cursor, recordCount: records.length, pageCount }))) isCancelled = true
    }
  }

  async function settle(): Promise<void> {
    await writing
    if (failure !== undefined) throw failure.error
  }

  return {
    isCancelled: () => isCancelled,
    async add(page: readonly SourceRecord[]): Promise<boolean> {
      batch.records.push(...page)
      batch.pageCount += 1
      batch.bytes += page.length * JSON.stringify(page[0]?.values ?? null).length
      if (batch.records.length >= batchRecords || batch.bytes >= maxBatchBytes) await settle()
      if (failure !== undefined) throw failure.error
      if (writing === undefined && !isCancelled) begin()
      return !isCancelled
    },
    async flush(): Promise<void> {
      await settle()
      if (!isCancelled) begin()
      await settle()
    },
  }
}

function lastEventAt(records: readonly SourceRecord[]): Instant {
  let last = Number.NEGATIVE_INFINITY
  for (const { eventAt } of records) last = Math.max(last, eventAt)
  return last
}

async function advance(
  run: Run,
  { cursor, recordCount, pageCount }: Pick<BackfillProgress, 'cursor' | 'recordCount' | 'pageCount'>,
): Promise<boolean> {
  const { store, job, log, timing, progress } = run
  if (!(await store.advanceBackfillJob(job.id, { cursor, recordCount, pageCount, at: timing.now() }))) return false
  run.progress = {
    ...progress,
    cursor,
    recordCount: progress.recordCount + recordCount,
    pageCount: progress.pageCount + pageCount,
  }
  log.debug('backfilled', { stage: 'feed', scope: feedScopeKey(job.scope), cursor: formatInstant(cursor), recordCount })
  run.onProgress?.(run.progress)
  return true
}
