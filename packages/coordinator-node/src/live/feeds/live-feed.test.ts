import { createBoundedQueue } from '@crunch/local-processes'
import { afterEach, describe, expect, test } from 'vitest'
import { changedContract, market } from '../../../test/sample-contract.ts'
import { createTestLog } from '../../../test/test-log.ts'
import { createMemoryStore } from '../../adapters/store/memory/memory-store.ts'
import { onlyEra } from '../../domain/era.ts'
import { CrunchError } from '../../domain/errors.ts'
import { FeedInterrupted, type FeedSource, type SourceRecord } from '../../ports/feed-source.ts'
import { btc, minute } from '../../ports/store-samples.ts'
import { readSettings } from '../settings.ts'
import type { WorkerContext } from '../workers/worker-context.ts'
import { openLiveFeed } from './live-feed.ts'

const endings: (() => Promise<void>)[] = []

afterEach(async () => {
  for (const end of endings.splice(0)) await end()
})

const scope = { ...btc, kind: 'tick', granularity: '1s' }
const tick = (knownAt: number): SourceRecord => ({ ...scope, eventAt: knownAt, knownAt, values: { close: knownAt } })

/** The environment of a feed worker, with source and clock controlled by the test. */
function openWorker() {
  let now = minute(0)
  const ready: string[] = []
  const store = createMemoryStore()
  const log = createTestLog()
  const spoken = createBoundedQueue<readonly SourceRecord[]>(64)
  const source: FeedSource = {
    describe: async () => [{ source: scope.source, subjects: [scope.subject], kind: scope.kind, granularities: 'any' }],
    async *stream(_scopes, _from, signal, onOpen) {
      onOpen?.()
      signal.addEventListener('abort', () => spoken.end(), { once: true })
      yield* spoken.read()
    },
  }
  const context: WorkerContext = {
    signal: new AbortController().signal,
    contract: changedContract({ feed: { ...market, subjects: ['BTCUSDT'], kind: 'tick', granularity: '1s' } }),
    settings: readSettings({}),
    ...{
      store,
      era: onlyEra,
      log,
      sources: new Map([[scope.source, source]]),
      ready: (worker) => ready.push(worker),
      contractFolder: '.',
    },
    clock: { now: () => now, refresh: async () => now, turn: async () => {} },
  }
  return {
    ...{ source, context, ready, store, log },
    async speak(...records: readonly SourceRecord[]) {
      await spoken.push(records)
    },
    setClock(at: number) {
      now = at
    },
  }
}

function start(context: WorkerContext): void {
  const ending = new AbortController()
  const running = openLiveFeed({ ...context, signal: ending.signal }).then(({ run }) => run())
  endings.push(async () => {
    ending.abort()
    await running
  })
}

/** A running worker. */
function open() {
  const worker = openWorker()
  start(worker.context)
  return {
    ...worker,
    /** Waits for a status and number of records. */
    async expectState(status: string, recordCount: number, reason: unknown = null) {
      const state = async () => (await worker.store.feedStates())[0]
      await expect.poll(state, { timeout: 10_000 }).toMatchObject({ status, recordCount, statusReason: reason })
    },
  }
}

describe('a feed worker', () => {
  test('is ready once its sources have been tried, even if they are unreachable', async () => {
    const { source, context, ready } = openWorker()
    let refuse = (_: Error) => {}
    const answer = new Promise<never>((_, reject) => {
      refuse = reject
    })
    start({ ...context, sources: new Map([[scope.source, { ...source, describe: () => answer }]]) })
    await expect.poll(async () => (await context.store.feedStates()).length).toBe(1)
    expect(ready).toEqual([])
    refuse(new FeedInterrupted('it is away'))
    await expect.poll(() => ready).toEqual(['feed-data'])
    await expect
      .poll(async () => (await context.store.feedStates())[0])
      .toMatchObject({ status: 'down', statusReason: 'it is away' })
  })

  test('never becomes ready when a source refuses permanently', async () => {
    const { source, context, ready } = openWorker()
    const refused = new CrunchError('FEED_UNAVAILABLE', 'the key is wrong')
    const sources = new Map([[scope.source, { ...source, describe: () => Promise.reject(refused) }]])
    const ended = new AbortController()
    endings.push(async () => ended.abort())
    const { run } = await openLiveFeed({ ...context, sources, signal: ended.signal })
    await expect(run()).rejects.toBe(refused)
    expect(ready).toEqual([])
  })

  test('follows several sources independently: an unreachable one does not delay the others', async () => {
    const worker = openWorker()
    const other = { ...scope, source: 'elsewhere' }
    const away: FeedSource = { ...worker.source, describe: () => Promise.reject(new FeedInterrupted('it is away')) }
    const feed = { ...market, subjects: ['BTCUSDT'], kind: 'tick', granularity: '1s' }
    start({
      ...worker.context,
      contract: changedContract({ feed: [feed, { ...feed, source: other.source }] }),
      sources: new Map([
        [scope.source, worker.source],
        [other.source, away],
      ]),
    })
    await worker.speak(tick(minute(0)))
    const states = async () =>
      (await worker.store.feedStates()).map(({ scope: { source }, status, statusReason }) => [
        source,
        status,
        statusReason,
      ])
    await expect.poll(states, { timeout: 10_000 }).toEqual(
      expect.arrayContaining([
        [scope.source, 'up', null],
        [other.source, 'down', 'it is away'],
      ]),
    )
    expect(worker.ready).toEqual(['feed-data'])
  })
})

describe('a live feed', () => {
  test('that stops is stale after two granularities, at least five seconds, and up again with the next record', async () => {
    const feed = open()
    await feed.speak(tick(minute(0)))
    await feed.expectState('up', 1)
    feed.setClock(minute(0) + 5_000)
    await feed.expectState('stale', 1, 'no new record for 5 s')
    await feed.speak(tick(minute(0) + 5_000))
    await feed.expectState('up', 2)
  })

  test('rejects records from the future, reports the clock skew, and continues when the clock is right again', async () => {
    const feed = open()
    await feed.speak(tick(minute(0)))
    await feed.expectState('up', 1)
    // A small skew is normal.
    await feed.speak(tick(minute(0) + 1_250))
    await feed.expectState('up', 2)
    await feed.speak(tick(minute(0) + 12_000))
    await feed.expectState('suspect', 2, expect.stringMatching(/12 s after the time of this node .* more than the 5 s/))
    feed.setClock(minute(0) + 30_000)
    await feed.speak(tick(minute(0) + 30_000))
    await feed.expectState('up', 3)
    expect(feed.log.lines.filter(({ message }) => message === 'a feed is suspect')).toHaveLength(1)
  })

  test('is suspect from the start when the clock is behind stored records', async () => {
    const { context, store, log } = openWorker()
    const ahead = { ...tick(minute(120)), receivedAt: minute(120) }
    await store.appendRecords([ahead])
    await store.putFeedStatus(scope, 'up', null, minute(120))
    start(context)
    await expect
      .poll(async () => (await store.feedStates())[0], { timeout: 10_000 })
      .toMatchObject({ status: 'suspect', statusReason: expect.stringMatching(/2 h behind the newest record/) })
    expect(log.lines.filter(({ message }) => message === 'a feed is suspect')).toHaveLength(1)
  })

  test('is suspect when the clock of the node jumps back, until a record is on time', async () => {
    const feed = open()
    await feed.speak(tick(minute(0)))
    await feed.expectState('up', 1)
    feed.setClock(minute(0) - 3_000)
    await feed.expectState('suspect', 1, expect.stringMatching(/^the clock of this node jumped back by [3-9]/))
    feed.setClock(minute(0) + 3_000)
    await feed.speak(tick(minute(0) + 3_000))
    await feed.expectState('up', 2)
  })
})
