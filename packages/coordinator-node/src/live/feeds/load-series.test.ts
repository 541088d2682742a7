import { expect, test } from 'vitest'
import { changedContract, market } from '../../../test/sample-contract.ts'
import { createMemoryStore } from '../../adapters/store/memory/memory-store.ts'
import { resolveContract } from '../../contract/resolved-contract.ts'
import { candle, minute } from '../../ports/store-samples.ts'
import { loadSeries } from './load-series.ts'

/** Where a series continues after records of these minutes, which became known `settleMinutes` later. */
async function nextOf(kind: string, minutes: readonly number[], settleMinutes: number) {
  const { feeds } = resolveContract(changedContract({ feed: { ...market, kind, subjects: ['BTCUSDT'] } }))
  const store = createMemoryStore()
  const scopes = feeds.map(({ scope }) => scope)
  await store.ensureFeeds(scopes, minute(0))
  const scope = scopes[0]!
  const records = minutes.map((count) => {
    const record = candle(count, undefined, scope)
    const knownAt = record.eventAt + (kind === 'candle' ? 60_000 : 0) + settleMinutes * 60_000
    return { ...record, knownAt }
  })
  await store.appendRecords(records)
  const [series] = await loadSeries(feeds, store, 3_600_000, minute(90))
  return series?.progress.next()
}

test('a series without records starts as far back as history is wanted', async () => {
  expect(await nextOf('candle', [], 0)).toBe(minute(30))
})

test("a series continues after its newest record's own time, not after the time at which it became known", async () => {
  expect(await nextOf('candle', [40, 41], 0)).toBe(minute(42))
  expect(await nextOf('candle', [40, 41], 30)).toBe(minute(42))
  expect(await nextOf('tick', [40, 41], 0)).toBe(minute(41) + 1)
  expect(await nextOf('tick', [40, 41], 30)).toBe(minute(41) + 1)
})
