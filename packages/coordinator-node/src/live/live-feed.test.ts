import { afterEach, describe, expect, test } from 'vitest'
import { changedContract, market } from '../../test/sample-contract.ts'
import { createTestLog } from '../../test/test-log.ts'
import { createMemoryStore } from '../adapters/store/memory/memory-store.ts'
import type { FeedSource, SourceRecord } from '../ports/feed-source.ts'
import { btc, minute } from '../ports/store-samples.ts'
import { createChannel } from './follow/channel.ts'
import { runLiveFeed } from './live-feed.ts'
import { readSettings } from './settings.ts'
import type { WorkerContext } from './worker-context.ts'

const endings: (() => Promise<void>)[] = []

afterEach(async () => {
  for (const end of endings.splice(0)) await end()
})

const scope = { ...btc, kind: 'tick', granularity: '1s' }
const tick = (knownAt: number): SourceRecord => ({ ...scope, eventAt: knownAt, knownAt, values: { close: knownAt } })

/** A feed worker on a source that a test speaks through, with a clock that a test sets. */
function open() {
  let now = minute(0)
  const store = createMemoryStore()
  const log = createTestLog()
  const spoken = createChannel<readonly SourceRecord[]>(64)
  const source: FeedSource = {
    describe: async () => [{ source: scope.source, subjects: [scope.subject], kind: scope.kind, granularities: 'any' }],
    async *stream(_scopes, _from, signal, onOpen) {
      onOpen?.()
      signal.addEventListener('abort', () => spoken.end(), { once: true })
      yield* spoken.read()
    },
  }
  const ending = new AbortController()
  const context: WorkerContext = {
    contract: changedContract({ feed: { ...market, subjects: ['BTCUSDT'], kind: 'tick', granularity: '1s' } }),
    settings: readSettings({}),
    ...{ store, log, signal: ending.signal, sources: new Map([[scope.source, source]]), ready: () => {} },
    clock: { now: () => now, refresh: async () => now },
  }
  const running = runLiveFeed(context)
  endings.push(async () => {
    ending.abort()
    await running
  })
  return {
    log,
    async speak(...records: readonly SourceRecord[]) {
      await spoken.push(records)
    },
    setClock(at: number) {
      now = at
    },
    /** Status and number of records, once they are what is expected. */
    async expectState(status: string, recordCount: number, reason: unknown = null) {
      const state = async () => (await store.feedStates())[0]
      await expect.poll(state, { timeout: 10_000 }).toMatchObject({ status, recordCount, statusReason: reason })
    },
  }
}

describe('a live feed', () => {
  test('that stops is stale after two granularities, at least five seconds, and up again with the next record', async () => {
    const feed = open()
    await feed.speak(tick(minute(0)))
    await feed.expectState('up', 1)
    feed.setClock(minute(0) + 5_000)
    await feed.expectState('stale', 1, 'nothing new for 5 s')
    await feed.speak(tick(minute(0) + 5_000))
    await feed.expectState('up', 2)
  })

  test('refuses records from the future, says by how much a clock is off, and goes on when it is right again', async () => {
    const feed = open()
    await feed.speak(tick(minute(0)))
    await feed.expectState('up', 1)
    // A little ahead is how machines are.
    await feed.speak(tick(minute(0) + 1_250))
    await feed.expectState('up', 2)
    await feed.speak(tick(minute(0) + 12_000))
    await feed.expectState('suspect', 2, expect.stringMatching(/12 s after the time of this node .* more than the 5 s/))
    feed.setClock(minute(0) + 30_000)
    await feed.speak(tick(minute(0) + 30_000))
    await feed.expectState('up', 3)
    expect(feed.log.lines.filter(({ message }) => message === 'a feed is suspect')).toHaveLength(1)
  })

  test('is suspect when the clock of the node goes back, until a record is in time', async () => {
    const feed = open()
    await feed.speak(tick(minute(0)))
    await feed.expectState('up', 1)
    feed.setClock(minute(0) - 3_000)
    await feed.expectState('suspect', 1, expect.stringMatching(/^the clock of this node went back by [3-9]/))
    feed.setClock(minute(0) + 3_000)
    await feed.speak(tick(minute(0) + 3_000))
    await feed.expectState('up', 2)
  })
})
