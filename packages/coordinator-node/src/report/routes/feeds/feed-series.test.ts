import { describe, expect, it } from 'vitest'
import { btc, candle } from '../../../ports/store-samples.ts'
import { reportUnderTest } from '../../report-app.testkit.ts'

const path = '/reports/feeds/series?source=binance&subject=BTCUSDT&kind=candle&granularity=1m'

async function prepared() {
  const under = reportUnderTest()
  const prices = (count: number) => ({
    open: count,
    high: count + 0.5,
    low: count - 0.5,
    close: count + 0.25,
    volume: 2,
  })
  // Minute 3 is missing.
  await under.store.appendRecords([0, 1, 2, 4, 5].map((count) => candle(count, prices(count))))
  return under
}

describe('/reports/feeds/series', () => {
  it('has every record of a short range, and null in a gap', async () => {
    const { body } = await (await prepared()).get(`${path}&start=2026-03-01T10:02:00Z&end=2026-03-01T10:05:00Z`)
    expect(body).toMatchObject({
      ...btc,
      bucket_s: 60,
      times: ['2026-03-01T10:02:00.000Z', '2026-03-01T10:03:00.000Z', '2026-03-01T10:04:00.000Z'],
      fields: { close: { last: [2.25, null, 4.25] }, volume: { sum: [2, null, 2] } },
    })
  })

  it('sums candles up to as many points as asked for', async () => {
    const { body } = await (await prepared()).get(`${path}&start=2026-03-01T10:00:00Z&points=2`)
    expect(body).toMatchObject({
      bucket_s: 180,
      times: ['2026-03-01T10:00:00.000Z', '2026-03-01T10:03:00.000Z'],
      fields: {
        open: { first: [0, 4] },
        high: { max: [2.5, 5.5] },
        low: { min: [-0.5, 3.5] },
        close: { last: [2.25, 5.25] },
        volume: { sum: [6, 4] },
      },
    })
  })

  it('begins with the newest records when no range is asked for', async () => {
    const { body } = await (await prepared()).get<{ times: readonly string[] }>(`${path}&points=2`)
    expect(body.times).toEqual(['2026-03-01T10:04:00.000Z', '2026-03-01T10:05:00.000Z'])
  })

  it('is empty outside of the records', async () => {
    const { body } = await (await prepared()).get(`${path}&start=2027-01-01`)
    expect(body).toMatchObject({ times: [], fields: {} })
  })

  it.each([
    [`${path}&start=2026-03-02&end=2026-03-01`, 422, 'must not be after the end of the range'],
    [`${path}&points=2001`, 422, 'must be a whole number from 1 to 2000'],
    ['/reports/feeds/series?source=binance', 422, 'subject'],
    [
      path.replace('BTCUSDT', 'DOGE'),
      404,
      'This node has no series binance:DOGE:candle:1m. It has binance:BTCUSDT:candle:1m.',
    ],
  ])('refuses %s', async (wrong, status, text) => {
    const answer = await (await prepared()).get<{ message: string }>(wrong)
    expect([answer.status, answer.body.message]).toEqual([status, expect.stringContaining(text)])
  })

  it('refuses a range that would read too many records', async () => {
    const { store, get } = await prepared()
    await store.appendRecords([candle(500_000)])
    const { status, body } = await get<{ message: string }>(`${path}&start=2026-03-01`)
    expect([status, body.message]).toEqual([422, expect.stringContaining('at most 200000 records')])
  })
})
