import { describe, expect, test } from 'vitest'
import type { FeedSource, SourceRecord } from '../ports/feed-source.ts'
import { btc, candle, minute, minuteMs } from '../ports/store-samples.ts'
import { withClockCheck } from './check-clock.ts'

function checked(now: () => number, hasHistory = true) {
  const reports: string[] = []
  async function* some(): AsyncGenerator<readonly SourceRecord[]> {
    yield [candle(0), candle(1), candle(5)]
    yield [candle(6)]
    yield [candle(2)]
  }
  const source: FeedSource = {
    describe: async () => [],
    stream: (_scopes, _from, _signal, onOpen) => {
      onOpen?.()
      return some()
    },
    ...(hasHistory && { history: some }),
  }
  const onAhead = async (records: readonly SourceRecord[], reason: string) => {
    reports.push(`${records.length} ${reason}`)
  }
  return { reports, source: withClockCheck(source, { now, toleranceMs: minuteMs, onAhead }) }
}

async function minutes(batches: AsyncIterable<readonly SourceRecord[]>): Promise<number[][]> {
  const found: number[][] = []
  for await (const batch of batches) found.push(batch.map(({ eventAt }) => (eventAt - minute(0)) / minuteMs))
  return found
}

describe('a source without records from the future', () => {
  test('omits them from its stream and history, and reports the clock skew', async () => {
    const { reports, source } = checked(() => minute(2))
    const signal = new AbortController().signal
    let isOpen = false
    const stream = source.stream([btc], new Map(), signal, () => {
      isOpen = true
    })
    expect(await minutes(stream)).toEqual([[0, 1], [], [2]])
    expect(isOpen).toBe(true)
    const past = source.history as NonNullable<FeedSource['history']>
    expect(await minutes(past(btc, 0, 1, signal))).toEqual([[0, 1], [], [2]])
    expect(reports).toHaveLength(4)
    expect(reports[0]).toMatch(/^1 a record is known at 2026-03-01T10:06:00.000Z, 240 s after the time of this node/)
  })

  test('delivers everything if the clock is right, and has a history only if the source has one', async () => {
    const { reports, source } = checked(() => minute(6), false)
    expect(await minutes(source.stream([btc], new Map(), new AbortController().signal))).toEqual([[0, 1, 5], [6], [2]])
    expect([reports, source.history]).toEqual([[], undefined])
  })
})
