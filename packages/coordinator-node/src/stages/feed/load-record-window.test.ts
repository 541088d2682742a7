import { expect, test } from 'vitest'
import { resolvedContract } from '../../../test/sample-contract.ts'
import type { FeedRecord, FeedScope } from '../../domain/feed-record.ts'
import { silentLog } from '../../ports/log.ts'
import { btc, candle, eth, minute, minuteMs } from '../../ports/store-samples.ts'
import { loadRecordWindow } from './load-record-window.ts'

/** A store with `count` candles of BTC, `perMinute` per minute, and none of another series. */
function storeWith(count: number, perMinute: number) {
  const records = Array.from({ length: count }, (_, index): FeedRecord => {
    const knownAt = minute(0) + Math.floor(((index - count + 1) * minuteMs) / perMinute)
    return { ...candle(0), eventAt: knownAt - minuteMs, knownAt }
  })
  const limits: number[] = []
  const latestRecords = async (scope: FeedScope, limit: number) => {
    if (scope.subject !== btc.subject) return []
    limits.push(limit)
    return records.slice(-limit)
  }
  return { latestRecords, limits }
}

const load = (store: ReturnType<typeof storeWith>) => loadRecordWindow(resolvedContract(), { store, log: silentLog })

test.each([
  ['few records', 100, 1, [512]],
  ['more records than one read', 600, 1, [512]],
  ['more records in the window than one read', 5_000, 100, [512, 1_024]],
])('the window of ten minutes is filled from %s', async (_, count, perMinute, limits) => {
  const store = storeWith(count, perMinute)
  const window = await load(store)
  expect(window.records(btc, minute(0), 10 * minuteMs)).toHaveLength(Math.min(count, 10 * perMinute))
  expect(window.records(eth, minute(0), 10 * minuteMs)).toEqual([])
  expect(store.limits).toEqual(limits)
})
