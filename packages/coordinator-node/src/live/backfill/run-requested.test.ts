import { beforeEach, expect, it } from 'vitest'
import { changedContract } from '../../../test/sample-contract.ts'
import { createMemoryStore, type MemoryStore } from '../../adapters/store/memory/memory-store.ts'
import type { BackfillJob } from '../../domain/backfill-job.ts'
import type { FeedSource } from '../../ports/feed-source.ts'
import { silentLog } from '../../ports/log.ts'
import { backfillJob, btc, candle, eth, minute } from '../../ports/store-samples.ts'
import { runNextBackfill } from './run-requested.ts'

let store: MemoryStore
let errors: string[]
beforeEach(() => {
  store = createMemoryStore()
  errors = []
})

/** Gives the first ten candles, a page each. */
function sourceOf(before: (page: number) => unknown = () => undefined): FeedSource {
  return {
    describe: async () => [{ source: 'binance', subjects: ['BTCUSDT'], kind: 'candle', granularities: ['1m'] }],
    // biome-ignore lint/correctness/useYield: the stream is not used
    async *stream() {
      throw new Error('a backfill streams nothing')
    },
    async *history(_scope, from, to) {
      for (let count = 0; count < 10; count += 1) {
        const { receivedAt: _, ...record } = candle(count)
        if (record.eventAt < from || record.eventAt >= to) continue
        await before(count)
        yield [record]
      }
    },
  }
}

function runNext(source: FeedSource = sourceOf(), signal = new AbortController().signal): Promise<boolean> {
  const log = { ...silentLog, error: (message: string) => errors.push(message) }
  return runNextBackfill({ contract: changedContract({}), store, log, signal, sources: new Map([['binance', source]]) })
}

const ofNode = (id: string, count = 0, more: Partial<BackfillJob> = {}) =>
  backfillJob(id, count, { runBy: 'node', ...more })
const statuses = async () => Object.fromEntries((await store.backfillJobs()).map(({ id, status }) => [id, status]))

it('runs the jobs of the node, oldest first, and no others', async () => {
  await store.addBackfillJob(ofNode('second', 2, { scope: eth }))
  await store.addBackfillJob(ofNode('first', 1))
  await store.addBackfillJob(backfillJob('other'))
  await store.addBackfillJob(backfillJob('interrupted', 0, { status: 'running' }))
  expect(await runNext()).toBe(true)
  expect(await statuses()).toMatchObject({ first: 'completed', second: 'pending' })
  // The source does not offer it: the job says so, and the worker goes on.
  expect([await runNext(), await runNext()]).toEqual([true, false])
  expect(await statuses()).toEqual({ first: 'completed', second: 'failed', other: 'pending', interrupted: 'running' })
})

it('continues a job that a crash left, at its cursor', async () => {
  const asked: number[] = []
  await store.addBackfillJob(ofNode('a', 0, { status: 'running', cursor: minute(6), recordCount: 6, pageCount: 6 }))
  await runNext(sourceOf((page) => asked.push(page)))
  expect(asked).toEqual([6, 7, 8, 9])
  expect(await store.backfillJobs()).toMatchObject([{ status: 'completed', recordCount: 10 }])
})

it('stops at the next page of a job that was cancelled', async () => {
  await store.addBackfillJob(ofNode('a'))
  const cancel = (page: number) =>
    page === 4 && store.moveBackfillJob('a', { to: 'cancelled', error: null, at: minute(60) })
  await runNext(sourceOf(cancel))
  const [job] = await store.backfillJobs()
  expect(job).toMatchObject({ status: 'cancelled' })
  expect(job?.cursor).toBeLessThan(minute(8))
  expect(await runNext()).toBe(false)
})

it('leaves a job to the process that runs it, and takes the next one', async () => {
  await store.addBackfillJob(ofNode('held'))
  await store.addBackfillJob(ofNode('free', 1, { scope: eth }))
  const lease = await store.takeLease('backfill held')
  expect([await runNext(), await runNext()]).toEqual([true, false])
  expect(await statuses()).toEqual({ held: 'pending', free: 'failed' })
  await lease?.release()
  expect(await runNext()).toBe(true)
  expect((await statuses()).held).toBe('completed')
})

it('fails a job whose source is broken or gone, and nothing else', async () => {
  await store.addBackfillJob(ofNode('a'))
  const broken = () => {
    throw new TypeError('cannot read x')
  }
  expect(await runNext(sourceOf(broken))).toBe(true)
  await store.addBackfillJob(ofNode('b', 1, { scope: { ...btc, source: 'gone' } }))
  expect(await runNext()).toBe(true)
  expect(await store.backfillJobs()).toMatchObject([
    { id: 'b', status: 'failed', error: 'the contract has no feed of the source gone any more' },
    { id: 'a', status: 'failed', error: 'cannot read x' },
  ])
  expect(errors).toEqual(['backfill failed', 'backfill failed'])
})

it('waits for the next start when its process is asked to end', async () => {
  const ending = new AbortController()
  await store.addBackfillJob(ofNode('a'))
  await runNext(
    sourceOf((page) => page === 4 && ending.abort()),
    ending.signal,
  )
  expect(await statuses()).toEqual({ a: 'pending' })
})
