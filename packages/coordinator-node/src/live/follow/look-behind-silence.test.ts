import { describe, expect, test } from 'vitest'
import type { FeedSource } from '../../ports/feed-source.ts'
import { btc, minute } from '../../ports/store-samples.ts'
import { btcMinutes, follow, minutesOf, sourceCandle } from './follow.testkit.ts'
import { createFollowedSeries } from './followed-series.ts'
import { createScriptedSource } from './scripted-source.testkit.ts'

describe('a silent stream', () => {
  test('is interrupted when history has newer records, which are delivered', async () => {
    let connections = 0
    let asked = 0
    const { source } = createScriptedSource({ records: [], connections: [] })
    const silent: FeedSource = {
      ...source,
      async *stream(_scopes, _from, signal, onOpen) {
        connections += 1
        onOpen?.()
        if (connections > 1) yield [sourceCandle(102)]
        await new Promise((resolve) => signal.addEventListener('abort', resolve, { once: true }))
      },
      async *history(_scope, from, to) {
        asked += 1
        const known = btcMinutes(98, asked > 3 ? 102 : 100)
        yield known.filter(({ eventAt }) => eventAt >= from && eventAt < to)
      },
    }
    const series = [createFollowedSeries(btc, minute(98), null)]
    const { found, interruptions } = await follow(silent, { series, count: 5 })
    expect(minutesOf(found)).toEqual([98, 99, 100, 101, 102])
    expect(interruptions).toEqual([
      'binance:BTCUSDT:candle:1m has newer records in its history, but none of them arrived through the stream',
    ])
  })

  test('is not interrupted while its records are rejected', async () => {
    let asked = 0
    const { source } = createScriptedSource({ records: [], connections: [] })
    const ahead: FeedSource = {
      ...source,
      async *stream(_scopes, _from, signal, onOpen) {
        onOpen?.()
        for (let count = 0; count < 50 && !signal.aborted; count += 1) {
          await new Promise((resolve) => setImmediate(resolve))
          yield []
        }
        yield [sourceCandle(100)]
      },
      async *history() {
        asked += 1
        yield []
      },
    }
    await follow(ahead, { series: [createFollowedSeries(btc, minute(100), null)], count: 1 })
    // While filling the series.
    expect(asked).toBe(1)
  })

  test('is checked at growing intervals while history has nothing new either', async () => {
    let asked = 0
    const { source } = createScriptedSource({ records: [], connections: [] })
    const quiet: FeedSource = {
      ...source,
      async *stream(_scopes, _from, signal, onOpen) {
        onOpen?.()
        while (asked < 6 && !signal.aborted) await new Promise((resolve) => setImmediate(resolve))
        yield [sourceCandle(100)]
      },
      async *history() {
        asked += 1
        yield []
      },
    }
    const { waits, interruptions } = await follow(quiet, {
      series: [createFollowedSeries(btc, minute(100), null)],
      count: 1,
    })
    expect(interruptions).toEqual([])
    // While filling the series; then after 2, 4, 8, 16 and 32 minutes of silence.
    const minutes = waits.reduce((sum, wait) => sum + wait, 0) / 60_000
    expect(minutes).toBeGreaterThanOrEqual(32)
    expect(minutes).toBeLessThan(40)
  })
})
