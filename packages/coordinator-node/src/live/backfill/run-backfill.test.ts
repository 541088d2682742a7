import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { changedContract } from '../../../test/sample-contract.ts'
import { archiveFolder } from '../../adapters/feeds/recording/series-path.ts'
import { createMemoryStore, type MemoryStore } from '../../adapters/store/memory/memory-store.ts'
import { resolveContract } from '../../contract/resolved-contract.ts'
import { type BackfillJob, newBackfillJob } from '../../domain/backfill-job.ts'
import { CrunchError } from '../../domain/errors.ts'
import { FeedInterrupted, type FeedSource, type SourceRecord } from '../../ports/feed-source.ts'
import { silentLog } from '../../ports/log.ts'
import { btc, candle, minute } from '../../ports/store-samples.ts'
import { contractRecording } from '../../recording/contract-recording.ts'
import type { Timing } from '../follow/timing.ts'
import { backfillWriter } from './backfill-writer.ts'
import { type BackfillOptions, runBackfill } from './run-backfill.ts'

const count = 100
const everything = { knownAt: minute(-1_000), eventAt: minute(-1_000) }
const records: readonly SourceRecord[] = Array.from({ length: count }, (_, index) => {
  const { receivedAt: _received, ...record } = candle(index)
  return record
})
const resolved = resolveContract(changedContract({}))

let store: MemoryStore
let folder: string
beforeEach(async () => {
  store = createMemoryStore()
  folder = await mkdtemp(join(tmpdir(), 'backfill-'))
})
afterEach(async () => {
  await store.close()
  await rm(folder, { recursive: true, force: true })
})

/** Returns ten records per page. `before` is called before each page; the source throws what it throws. */
function pagedSource(before: (page: number, asked: number) => unknown = () => undefined) {
  const asked: number[] = []
  const source: FeedSource = {
    describe: async () => [{ source: 'binance', subjects: ['BTCUSDT'], kind: 'candle', granularities: ['1m'] }],
    // biome-ignore lint/correctness/useYield: the stream is not used
    async *stream() {
      throw new Error('a backfill streams nothing')
    },
    async *history(_scope, from, to, signal) {
      asked.push(from)
      const found = records.filter(({ eventAt }) => eventAt >= from && eventAt < to)
      for (let first = 0; first < found.length; first += 10) {
        await before(Math.round(((found[first] as SourceRecord).eventAt - minute(0)) / 600_000), asked.length)
        if (signal.aborted) return
        yield found.slice(first, first + 10)
      }
    },
  }
  return { source, asked }
}

/** The cursor of a job that has the records before a minute. */
const behind = (count: number) => (count === 0 ? minute(0) : minute(count - 1) + 1)

const waits: number[] = []
const timing: Timing = {
  now: () => minute(500),
  random: () => 0,
  wait: async (lengthMs) => {
    waits.push(lengthMs)
  },
}

async function addJob(more: Partial<BackfillJob> = {}): Promise<BackfillJob> {
  const part = { id: 'a', scope: btc, from: minute(0), to: minute(count), target: 'tables', directory: null } as const
  const job = { ...newBackfillJob(part, minute(0)), ...more }
  await store.addBackfillJob(job)
  return job
}

function run(job: BackfillJob, source: FeedSource, more: Partial<BackfillOptions> = {}): Promise<BackfillJob> {
  waits.length = 0
  const writer = backfillWriter(job, { resolved, store, log: silentLog, now: timing.now })
  const patience = { firstMs: 1_000, longestMs: 60_000 }
  const rest = { log: silentLog, timing, patience, maxTries: 3, signal: new AbortController().signal }
  return runBackfill(job.id, { store, source, ...writer, ...rest, ...more })
}

const pagesOf = (source: FeedSource, range: Parameters<NonNullable<FeedSource['history']>>) =>
  source.history?.(...range) ?? []

const stored = async () => (await store.recordsBehind(btc, everything, 1_000)).map(({ receivedAt: _, ...rest }) => rest)

describe('a backfill', () => {
  it('writes its whole range and completes', async () => {
    const job = await addJob({ from: minute(5), to: minute(95), cursor: minute(5) })
    const cursors: number[] = []
    const done = await run(job, pagedSource().source, { onProgress: ({ cursor }) => cursors.push(cursor) })
    expect(done).toMatchObject({ status: 'completed', cursor: minute(95), recordCount: 90, pageCount: 9, error: null })
    expect(await stored()).toEqual(records.slice(5, 95))
    expect(cursors.at(-1)).toBe(minute(95))
    expect(cursors).toEqual([...cursors].sort((one, other) => one - other))
    expect((await store.feedStates())[0]).toMatchObject({ recordCount: 90, watermarkAt: minute(95) })
    // Running a completed job again changes nothing.
    expect(await run(job, pagedSource().source)).toEqual(done)
  })

  it('writes the same as one without interruptions, wherever it is interrupted', async () => {
    for (let page = 0; page < 10; page += 1) {
      store = createMemoryStore()
      const source = pagedSource((at, asked) => {
        if (at === page && asked === 1) throw new FeedInterrupted('cut', { retryAfterMs: 7_000 })
      })
      const done = await run(await addJob(), source.source)
      expect(done).toMatchObject({ status: 'completed', recordCount: count, pageCount: 10 })
      expect(source.asked).toEqual([minute(0), behind(page * 10)])
      // The wait that the provider asked for, plus jitter.
      expect(waits).toEqual([7_500])
      expect(await stored()).toEqual(records)
    }
  })

  it('fails with the reason after several retries without a record, and can be resumed', async () => {
    const job = await addJob()
    const broken = pagedSource((at) => {
      if (at === 3) throw new FeedInterrupted('the exchange is down')
    })
    const failed = await run(job, broken.source)
    expect(failed).toMatchObject({ status: 'failed', cursor: behind(30), recordCount: 30 })
    expect(failed.error).toBe('the exchange is down (3 times without any record)')
    expect(waits).toEqual([500, 1_000])
    const working = pagedSource()
    expect(await run(job, working.source)).toMatchObject({ status: 'completed', error: null, recordCount: count })
    expect(working.asked).toEqual([behind(30)])
  })

  it('resets the count of retries whenever records arrive', async () => {
    let isBroken = false
    const source = pagedSource((at) => {
      isBroken = !isBroken
      if (at > 0 && isBroken) throw new FeedInterrupted('flaky')
    })
    expect(await run(await addJob(), source.source)).toMatchObject({ status: 'completed' })
    expect(source.asked.length).toBeGreaterThan(4)
    expect(await stored()).toEqual(records)
  })

  it.each([
    ['refuses', () => Promise.reject(new CrunchError('FEED_UNAVAILABLE', 'the key is refused')), 'the key is refused'],
    ['does not offer the series', async () => [], 'no source offers the series binance:BTCUSDT:candle:1m'],
  ])('fails at once when the source %s', async (_, describeSource, reason) => {
    const { source } = pagedSource()
    const failed = await run(await addJob(), { ...source, describe: describeSource })
    expect(failed).toMatchObject({ status: 'failed', cursor: minute(0), error: expect.stringContaining(reason) })
    expect(waits).toEqual([])
  })

  it('fails at once when the source keeps no history', async () => {
    const { history: _, ...source } = pagedSource().source
    expect(await run(await addJob(), source)).toMatchObject({
      status: 'failed',
      error: expect.stringContaining('no history'),
    })
  })

  it('stops within a page when cancelled, and can be resumed', async () => {
    const job = await addJob()
    const source = pagedSource(async (at) => {
      if (at === 4) await store.moveBackfillJob('a', { to: 'cancelled', error: null, at: minute(500) })
    })
    const cancelled = await run(job, source.source)
    expect(cancelled.status).toBe('cancelled')
    expect(cancelled.cursor).toBeLessThanOrEqual(minute(40))
    expect((await stored()).length).toBeLessThanOrEqual(50)
    expect(await run(job, pagedSource().source)).toMatchObject({ status: 'completed', recordCount: count })
    expect(await stored()).toEqual(records)
  })

  it('keeps its cursor when its process is asked to end', async () => {
    const job = await addJob()
    const ending = new AbortController()
    const source = pagedSource((at) => {
      if (at === 4) ending.abort()
    })
    expect(await run(job, source.source, { signal: ending.signal })).toMatchObject({
      status: 'pending',
      recordCount: 40,
    })
    expect(await run(job, pagedSource().source)).toMatchObject({ status: 'completed', recordCount: count })
    expect(await stored()).toEqual(records)
  })

  it('is run by one process at a time, concurrently with other jobs', async () => {
    const [first, second] = [await addJob(), await addJob({ id: 'b' })]
    let [open, finished] = [() => {}, () => {}]
    const opened = new Promise<void>((resolve) => {
      open = resolve
    })
    const mayFinish = new Promise<void>((resolve) => {
      finished = resolve
    })
    const slow = pagedSource(() => {
      open()
      return mayFinish
    })
    const running = run(first, slow.source)
    await opened
    await expect(run(first, pagedSource().source)).rejects.toMatchObject({ code: 'LEASE_HELD' })
    expect(await run(second, pagedSource().source)).toMatchObject({ status: 'completed' })
    finished()
    expect(await running).toMatchObject({ status: 'completed' })
    expect(await stored()).toEqual(records)
  })

  it('buffers at most two batches of a source that is faster than writing', async () => {
    const job = await addJob()
    let waiting = 0
    let most = 0
    const source = pagedSource(() => {
      waiting += 10
      most = Math.max(most, waiting)
    })
    await run(job, source.source, {
      batchRecords: 20,
      async write(batch) {
        // Lets the source run as far as it can.
        for (let turn = 0; turn < 200; turn += 1) await Promise.resolve()
        waiting -= batch.length
      },
    })
    expect(most).toBeLessThanOrEqual(40)
  })

  it('buffers fewer records of a fast source when they are large', async () => {
    const job = await addJob()
    let waiting = 0
    let most = 0
    const { source } = pagedSource(() => {
      waiting += 10
      most = Math.max(most, waiting)
    })
    const large: FeedSource = {
      ...source,
      async *history(...range) {
        // 4 MiB each.
        for await (const page of pagesOf(source, range)) {
          yield page.map((record) => ({ ...record, values: { text: 'x'.repeat(2 ** 22) } }))
        }
      },
    }
    await run(job, large, {
      async write(batch) {
        for (let turn = 0; turn < 200; turn += 1) await Promise.resolve()
        waiting -= batch.length
      },
    })
    expect(most).toBeLessThanOrEqual(30)
  })

  it('is refused for an unknown job, or a series that the tables do not contain', async () => {
    const job = await addJob()
    await expect(run({ ...job, id: 'none' }, pagedSource().source)).rejects.toMatchObject({ code: 'NOT_FOUND' })
    const writer = () =>
      backfillWriter(
        { ...job, scope: { ...btc, granularity: '1s' } },
        { resolved, store, log: silentLog, now: timing.now },
      )
    expect(writer).toThrow(/but not binance:BTCUSDT:candle:1s: .*--target parquet/)
  })
})

describe('an archive', () => {
  it('restores records exactly into the tables', async () => {
    await run(await addJob(), pagedSource().source)
    const before = await stored()
    const tables: FeedSource = { ...pagedSource().source, history: fromTables }
    const archived = await addJob({ id: 'out', target: 'parquet', directory: folder })
    expect(await run(archived, tables)).toMatchObject({ status: 'completed', recordCount: count })
    store = createMemoryStore()
    const recording = contractRecording(changedContract({}), [archiveFolder(folder, btc)])
    expect(await run(await addJob({ id: 'in' }), recording)).toMatchObject({ status: 'completed', recordCount: count })
    expect(await stored()).toEqual(before)
    expect(before).toEqual(records)
  })

  async function* fromTables() {
    const rows = await stored()
    for (let first = 0; first < rows.length; first += 7) yield rows.slice(first, first + 7)
  }
})
