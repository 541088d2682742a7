import { describe, expect, test } from 'vitest'
import { type FeedScope, feedScopeKey } from '../../../domain/feed-record.ts'
import { FeedInterrupted, type SourceRecord } from '../../../ports/feed-source.ts'
import { createPollingSource, type PollingOptions } from './create-polling-source.ts'

const minuteMs = 60_000
const scope: FeedScope = { source: 'prices', subject: 'BTC', kind: 'tick', granularity: '1m' }
const other: FeedScope = { ...scope, subject: 'ETH' }
const never = new AbortController().signal

const record = (minute: number, price = minute, of = scope): SourceRecord => ({
  ...of,
  ...{ eventAt: minute * minuteMs, knownAt: minute * minuteMs, values: { price } },
})

const minutes = (records: readonly SourceRecord[]) => records.map(({ eventAt }) => eventAt / minuteMs)

/** A source whose provider returns these answers in turn; the clock advances one minute per round. */
function source(answers: readonly (readonly SourceRecord[] | Error)[], more: Partial<PollingOptions> = {}) {
  const asked: string[] = []
  const polling = createPollingSource({
    describe: async () => [],
    async ask({ subject }, from, to) {
      const answer = answers[asked.length] ?? []
      asked.push(`${subject} ${from / minuteMs} ${to / minuteMs}`)
      if (answer instanceof Error) throw answer
      return answer
    },
    ...{ everyMs: 1, pageCells: 100, now: () => 200 * minuteMs },
    ...more,
  })
  return { polling, asked }
}

async function take(records: AsyncIterable<readonly SourceRecord[]>, count: number): Promise<number[]> {
  const found: number[] = []
  for await (const batch of records) {
    found.push(...minutes(batch))
    if (found.length >= count) break
  }
  return found
}

describe('the stream of a polling source', () => {
  test('delivers each time once, in order, and requests only later ones', async () => {
    const { polling, asked } = source([[record(199), record(198)], [record(198), record(199)], [record(200)]])
    const from = new Map([[feedScopeKey(scope), 0]])
    expect(await take(polling.stream([scope], from, never), 3)).toEqual([198, 199, 200])
    const end = 200 + 1 / minuteMs
    expect(asked.map((one) => one.split(' ')[1])).toEqual([
      '100',
      String(199 + 1 / minuteMs),
      String(199 + 1 / minuteMs),
    ])
    expect(Number(asked[0]?.split(' ')[2])).toBe(end)
  })

  test('begins after the watermark, or with the newest 20 records if there is none', async () => {
    const answer = Array.from({ length: 40 }, (_, index) => record(150 + index))
    const from = new Map([[feedScopeKey(scope), 170 * minuteMs]])
    expect((await take(source([answer]).polling.stream([scope], from, never), 1))[0]).toBe(171)
    const fresh = await take(source([answer]).polling.stream([scope], new Map(), never), 1)
    expect([fresh[0], fresh.length]).toEqual([170, 20])
  })

  test('delivers a record only once it is known, and uses the last of several for the same time', async () => {
    let now = 199 * minuteMs
    const { polling } = source([[record(200), record(199, 1), record(199, 2)], [record(200)]], { now: () => now })
    const prices: unknown[] = []
    for await (const [first] of polling.stream([scope], new Map(), never)) {
      prices.push(first?.values.price)
      now = 200 * minuteMs
      if (prices.length === 2) break
    }
    expect(prices).toEqual([2, 200])
  })

  test('counts as open when every series has answered once, and ends with the first refusal', async () => {
    let opened = 0
    const refused = new FeedInterrupted('no')
    const { polling } = source([[record(199)], refused])
    await expect(
      take(
        polling.stream([scope, other], new Map(), never, () => opened++),
        1,
      ),
    ).rejects.toBe(refused)
    expect(opened).toBe(0)
    const later = source([[record(199)], [], refused]).polling
    await expect(
      take(
        later.stream([scope, other], new Map(), never, () => opened++),
        9,
      ),
    ).rejects.toBe(refused)
    expect(opened).toBe(1)
  })

  test('ends without an error when it is aborted during a pause or a request', async () => {
    const stop = new AbortController()
    const waiting = source([[record(199)]], { everyMs: 3_600_000 }).polling
    for await (const _ of waiting.stream([scope], new Map(), stop.signal)) stop.abort()
    const asking = new AbortController()
    const { polling } = source([], {
      ask: (_scope, _from, _to, signal) =>
        new Promise((_, reject) => {
          signal.addEventListener('abort', () => reject(signal.reason))
          asking.abort()
        }),
    })
    expect(await take(polling.stream([scope], new Map(), asking.signal), 1)).toEqual([])
  })
})

describe('the history of a polling source', () => {
  test('is read in pages, each within its range', async () => {
    const { polling, asked } = source([[record(9), record(10), record(110)], [], [record(210), record(215)]], {
      now: () => 1_000 * minuteMs,
    })
    const pages: number[][] = []
    for await (const page of polling.history(scope, 10 * minuteMs, 215 * minuteMs, never)) pages.push(minutes(page))
    expect(pages).toEqual([[10], [210]])
    expect(asked).toEqual(['BTC 10 110', 'BTC 110 210', 'BTC 210 215'])
  })

  test('is a single request if requests carry no range', async () => {
    const { polling, asked } = source([[record(9), record(10)]], { pageCells: Number.POSITIVE_INFINITY })
    expect(await take(polling.history(scope, 10 * minuteMs, 99 * minuteMs, never), 9)).toEqual([10])
    expect(asked).toEqual(['BTC 10 99'])
  })
})
