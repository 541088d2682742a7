import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { market, resolvedContract } from '../../../test/sample-contract.ts'
import { createMemoryStore } from '../../adapters/store/memory/memory-store.ts'
import { gateRecordCount, judgeSeries } from '../../domain/feed-trust.ts'
import { btc, candle, eth, minute } from '../../ports/store-samples.ts'
import { createSeriesWatch, loadSeriesWatch } from './series-watch.ts'

const gate = { frozenAfter: 3, maxJump: 0.5, agree: { with: 'ETHUSDT', within: 0.1 } }
const { feeds } = resolvedContract({ feed: { ...market, gate } })
const own = feeds[0]?.gate as NonNullable<(typeof feeds)[number]['gate']>

describe('the series watch', () => {
  test('judges as of an instant, ignoring later records', () => {
    const watch = createSeriesWatch(feeds)
    watch.add([0, 1, 2].map((count) => candle(count, { close: 100 + count }, eth)))
    watch.add([candle(0, { close: 100 }), candle(1, { close: 101 }), candle(2, { close: 300 })])
    expect(watch.gateOf(btc, minute(2))).toBeNull()
    expect(watch.gateOf(btc, minute(3))).toMatchObject({ cause: 'jump' })
    expect(watch.gateOf(eth, minute(3))).toBeNull()
    expect(watch.newestKnownAt(btc)).toBe(minute(3))
  })

  test('reports silence separately, and nothing for unknown series or series without records', () => {
    const watch = createSeriesWatch(feeds)
    expect([watch.judge(btc, minute(9)), watch.gateOf(btc, minute(9)), watch.newestKnownAt(btc)]).toEqual([
      null,
      null,
      null,
    ])
    watch.add([candle(0), candle(0, { close: 1 }, { ...eth, subject: 'SOLUSDT' })])
    expect(watch.judge(btc, minute(3))).toMatchObject({ status: 'stale', cause: 'silence' })
    expect(watch.judge(btc, minute(1))).toMatchObject({ status: 'suspect', cause: 'no comparison' })
    expect(watch.judge({ ...eth, subject: 'SOLUSDT' }, minute(9))).toBeNull()
  })

  test('of a new process starts with the stored records', async () => {
    const store = createMemoryStore()
    await store.appendRecords([0, 1, 2, 3].map((count) => candle(count, { close: 7 })))
    await store.appendRecords([candle(3, { close: 7 }, eth)])
    const watch = await loadSeriesWatch(feeds, store)
    expect(watch.judge(btc, minute(4))).toMatchObject({ status: 'frozen' })
  })

  test('gives the same result as the whole series, for any number and order of records', () => {
    const arrivals = fc.array(
      fc.tuple(fc.integer({ min: 0, max: 5 }), fc.constantFrom(90, 100, 100, 101, 200), fc.boolean()),
      {
        minLength: 1,
        maxLength: 400,
      },
    )
    fc.assert(
      fc.property(arrivals, (list) => {
        const watch = createSeriesWatch(feeds)
        const stored = new Map<string, ReturnType<typeof candle>>()
        let newest = 0
        for (const [index, [back, close, isPeer]] of list.entries()) {
          const record = candle(Math.max(0, index - back), { close }, isPeer ? eth : btc)
          watch.add([record])
          const key = `${record.subject} ${record.eventAt}`
          if (!stored.has(key)) stored.set(key, record)
          newest = Math.max(newest, record.knownAt)
        }
        for (const at of [newest, newest - 60_000]) {
          const known = [...stored.values()]
            .filter(({ knownAt }) => knownAt <= at)
            .sort((a, b) => a.knownAt - b.knownAt)
          const of = (subject: string) => known.filter((record) => record.subject === subject)
          const records = of('BTCUSDT').slice(-gateRecordCount(own))
          expect(watch.gateOf(btc, at)).toEqual(judgeSeries(own, records, of('ETHUSDT').at(-1) ?? null, at))
        }
      }),
    )
  })
})
