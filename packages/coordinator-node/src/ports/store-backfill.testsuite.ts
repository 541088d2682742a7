import { describe, expect, it } from 'vitest'
import type { BackfillJob } from '../domain/backfill-job.ts'
import type { FeedRecord } from '../domain/feed-record.ts'
import type { StoreUnderTest } from './store.testsuite.ts'
import type { Store } from './store.ts'
import { backfillJob, backfillPage, btc, candle, eth, minute } from './store-samples.ts'

const candles = (from: number, to: number): FeedRecord[] =>
  Array.from({ length: to - from }, (_, index) => candle(from + index))

export function backfillTests(context: StoreUnderTest): void {
  describe('records of the past', () => pastTests(context))
  describe('jobs', () => jobTests(context))
}

const everything = { knownAt: minute(-1_000), eventAt: minute(-1_000) }

function pastTests(context: StoreUnderTest): void {
  const others = candles(0, 5).map((record) => ({ ...record, ...eth }))

  it.each([
    ['new records of several scopes', [...candles(3, 9).reverse(), ...others]],
    ['existing records', candles(0, 4)],
    ['revisions', [candle(1, { close: 7 }), candle(2), candle(5), candle(1, { close: 8 })]],
    ['duplicates and revisions among themselves', [candle(8), candle(8), candle(8, { close: 7 }), candle(9)]],
    ['odd values', [candle(11, { text: 'ü\u0000 \u{1F600}', deep: { list: [1.5, null, 'x'] }, tiny: 5e-324 })]],
    ['nothing', []],
  ])('stores the same as appendRecords: %s', async (_, records) => {
    const { store } = context
    const elsewhere = (record: FeedRecord): FeedRecord => ({ ...record, source: 'elsewhere' })
    await store.appendRecords(candles(0, 3))
    await store.appendRecords(candles(0, 3).map(elsewhere))
    const count = await store.appendPast(records)
    const { inserted } = await store.appendRecords(records.map(elsewhere))
    expect(count).toBe(inserted.length)
    const states = await store.feedStates()
    for (const scope of [btc, eth]) {
      const rows = await store.recordsBehind(scope, everything, 100)
      expect(rows.map(elsewhere)).toEqual(await store.recordsBehind({ ...scope, source: 'elsewhere' }, everything, 100))
      const [mine, theirs] = [btc.source, 'elsewhere'].map((source) =>
        states.find((state) => state.scope.source === source && state.scope.subject === scope.subject),
      )
      expect({ ...mine, scope: null }).toEqual({ ...theirs, scope: null })
    }
    // A stored revision is recognized.
    expect(await store.appendRecords(records)).toMatchObject({ inserted: [], revisions: [] })
  })

  it('only extends the bounds of a series', async () => {
    const { store } = context
    const state = async () => (await store.feedStates())[0]
    await store.appendPast(candles(5, 7))
    const first = { oldestEventAt: minute(5), newestEventAt: minute(6), watermarkAt: minute(7) }
    expect(await state()).toMatchObject({ ...first, updatedAt: minute(7) + 250, recordCount: 2 })
    await store.appendPast(candles(1, 4))
    expect(await state()).toMatchObject({ ...first, oldestEventAt: minute(1), updatedAt: minute(7) + 250 })
    await store.appendPast(candles(8, 9))
    const last = { oldestEventAt: minute(1), newestEventAt: minute(8), watermarkAt: minute(9) }
    expect(await state()).toMatchObject({ ...last, updatedAt: minute(9) + 250, recordCount: 6 })
    expect(await store.newestWatermark()).toBe(minute(9))
  })

  it('splits large batches, and loses and duplicates nothing when two workers write the same', async () => {
    const many = candles(0, 10_500)
    const other = await context.other()
    const counts = await Promise.all([context.store.appendPast(many), other.appendPast(many)])
    expect(counts.reduce((sum, count) => sum + count, 0)).toBe(many.length)
    expect(await context.store.feedStates()).toMatchObject([{ recordCount: many.length, revisionCount: 0 }])
  })

  it('does not notify listeners', async () => {
    const heard: FeedRecord[] = []
    const other = await context.other()
    await other.subscribeRecords((records) => heard.push(...records))
    await context.store.appendPast(candles(0, 3))
    await context.store.appendRecords([candle(3)])
    await expect.poll(() => heard, { timeout: 10_000 }).toEqual([candle(3)])
  })

  it('refuses instants that are not whole milliseconds, and then writes nothing', async () => {
    const broken = { ...candle(1), knownAt: minute(2) + 0.5 }
    await expect(context.store.appendPast([candle(0), broken])).rejects.toThrow(/whole milliseconds/)
    expect(await context.store.feedStates()).toEqual([])
  })

  it('reads a series in pages, ordered by knownAt', async () => {
    const { store } = context
    const late = { ...candle(1), knownAt: minute(5) }
    await store.appendRecords([...candles(2, 6), late, candle(0), candle(3, { close: 1 }, eth)])
    const found: FeedRecord[] = []
    for (let cursor = everything; ; ) {
      const page = await store.recordsBehind(btc, cursor, 2)
      expect(page.length).toBeLessThanOrEqual(2)
      found.push(...page)
      const last = page.at(-1)
      if (last === undefined) break
      cursor = last
    }
    expect(found).toEqual([candle(0), candle(2), candle(3), late, candle(4), candle(5)])
  })
}

function jobTests(context: StoreUnderTest): void {
  const jobOf = async (store: Store, id: string) => (await store.backfillJobs()).find((job) => job.id === id)
  const to = (status: 'running' | 'pending' | 'completed' | 'failed' | 'cancelled', error: string | null = null) =>
    ({ to: status, error, at: minute(30) }) as const

  it('adds a job once, and lists the newest first', async () => {
    const { store } = context
    const archived = backfillJob('c', 1, { scope: eth, target: 'parquet', directory: '/data/ü' })
    expect(await store.addBackfillJob(backfillJob('b'))).toBe(true)
    expect(await store.addBackfillJob(backfillJob('a'))).toBe(true)
    expect(await store.addBackfillJob(archived)).toBe(true)
    expect(await store.addBackfillJob(backfillJob('a', 9))).toBe(false)
    expect(await store.backfillJobs()).toEqual([archived, backfillJob('a'), backfillJob('b')])
  })

  it('moves the cursor of running jobs only, and only forward', async () => {
    const { store } = context
    await store.addBackfillJob(backfillJob('a'))
    expect(await store.advanceBackfillJob('a', backfillPage(3))).toBe(false)
    expect(await store.moveBackfillJob('a', to('running'))).toBe(true)
    expect(await store.advanceBackfillJob('a', backfillPage(3))).toBe(true)
    expect(await store.advanceBackfillJob('a', backfillPage(2))).toBe(true)
    const running = backfillJob('a', 0, { status: 'running', cursor: minute(3), recordCount: 6, pageCount: 2 })
    expect(await jobOf(store, 'a')).toEqual({ ...running, updatedAt: minute(30) })
    expect(await store.moveBackfillJob('a', to('cancelled'))).toBe(true)
    expect(await store.advanceBackfillJob('a', backfillPage(4))).toBe(false)
    expect(await store.advanceBackfillJob('none', backfillPage(4))).toBe(false)
    expect(await jobOf(store, 'a')).toMatchObject({ status: 'cancelled', cursor: minute(3) })
  })

  it('holds at most one active job of the node for each series', async () => {
    const { store } = context
    const other = await context.other()
    const ofNode = (id: string, more: Partial<BackfillJob> = {}) => backfillJob(id, 0, { runBy: 'node', ...more })
    const added = await Promise.all([store.addBackfillJob(ofNode('a')), other.addBackfillJob(ofNode('b'))])
    expect(added.toSorted()).toEqual([false, true])
    const [first, second] = added[0] ? ['a', 'b'] : ['b', 'a']
    // Another series, and a job that the node does not run.
    expect(await store.addBackfillJob(ofNode('c', { scope: eth }))).toBe(true)
    expect(await store.addBackfillJob(backfillJob('d'))).toBe(true)
    await store.moveBackfillJob(first, to('cancelled'))
    expect(await other.addBackfillJob(ofNode(second))).toBe(true)
    await expect(store.moveBackfillJob(first, to('running'))).rejects.toMatchObject({ code: 'CONFLICT' })
    expect(await jobOf(store, first)).toMatchObject({ status: 'cancelled', runBy: 'node' })
    // A worker that has read it as pending does not wake a job that was cancelled meanwhile.
    await store.moveBackfillJob(second, to('cancelled'))
    expect(await store.moveBackfillJob(second, { ...to('running'), from: ['pending', 'running'] })).toBe(false)
    expect(await store.moveBackfillJob(second, { ...to('running'), from: ['cancelled'] })).toBe(true)
  })

  it('lets a job fail with a reason and run again, but never leave COMPLETED', async () => {
    const { store } = context
    await store.addBackfillJob(backfillJob('a'))
    expect(await store.moveBackfillJob('a', to('completed'))).toBe(false)
    await store.moveBackfillJob('a', to('running'))
    expect(await store.moveBackfillJob('a', to('failed', 'no such symbol'))).toBe(true)
    expect(await jobOf(store, 'a')).toMatchObject({ status: 'failed', error: 'no such symbol' })
    expect(await store.moveBackfillJob('a', to('running'))).toBe(true)
    expect(await jobOf(store, 'a')).toMatchObject({ status: 'running', error: null })
    expect(await store.moveBackfillJob('a', to('completed'))).toBe(true)
    for (const status of ['running', 'pending', 'failed', 'cancelled'] as const) {
      expect(await store.moveBackfillJob('a', to(status))).toBe(false)
    }
    expect(await store.moveBackfillJob('none', to('running'))).toBe(false)
  })
}
