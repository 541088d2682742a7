import { describe, expect, it } from 'vitest'
import { CrunchError } from '../domain/errors.ts'
import { btc, candle, minute } from '../ports/store-samples.ts'
import { type ReportUnderTest, reportUnderTest } from './report-app.testkit.ts'

interface Health {
  readonly status: string
  readonly version: string
  readonly reasons: readonly string[]
}

async function healthOf(under: ReportUnderTest) {
  const { status, body } = await under.get<Health>('/healthz')
  return { status, body }
}

describe('/healthz', () => {
  it('is ok while the feed is up and workers work', async () => {
    const under = reportUnderTest({ health: async () => ({ newestHeartbeatAt: minute(60), reasons: [] }) })
    await under.store.appendRecords([candle(58)])
    await under.store.putFeedStatus(btc, 'up', null, minute(59))
    expect(await healthOf(under)).toEqual({ status: 200, body: { status: 'ok', version: '1.2.3', reasons: [] } })
  })

  it('is degraded, not down, with the feed that cannot be trusted, since when and why', async () => {
    const under = reportUnderTest()
    await under.store.appendRecords([candle(58)])
    await under.store.putFeedStatus(btc, 'stale', 'nothing new for 3 granularities', minute(59))
    const reason =
      'feed binance:BTCUSDT:candle:1m is stale since 2026-03-01T10:59:00.000Z: nothing new for 3 granularities'
    expect(await healthOf(under)).toEqual({
      status: 200,
      body: { status: 'degraded', version: '1.2.3', reasons: [reason] },
    })
  })

  it('does not believe a feed that is up but silent: the worker that would say so may be dead', async () => {
    const under = reportUnderTest()
    // It is minute 60.
    await under.store.appendRecords([candle(57)])
    await under.store.putFeedStatus(btc, 'up', null, minute(58))
    expect((await healthOf(under)).body.reasons).toEqual([
      'feed binance:BTCUSDT:candle:1m has brought nothing since 2026-03-01T10:58:00.000Z',
    ])
    await under.store.appendRecords([candle(58)])
    expect((await healthOf(under)).body.status).toBe('ok')
  })

  it('is not about series that the contract does not have: backfilled ones, or those of an earlier contract', async () => {
    const under = reportUnderTest()
    await under.store.appendRecords([candle(58), candle(1, undefined, { ...btc, subject: 'SOLUSDT' })])
    await under.store.putFeedStatus(btc, 'up', null, minute(59))
    expect((await healthOf(under)).body).toMatchObject({ status: 'ok', reasons: [] })
  })

  it('is degraded while no worker has reported, and passes on their reasons', async () => {
    const health = async () => ({ newestHeartbeatAt: null, reasons: ['score worker: silent for 90 s'] })
    expect((await healthOf(reportUnderTest({ health }))).body).toMatchObject({
      status: 'degraded',
      reasons: ['no worker has reported that it works', 'score worker: silent for 90 s'],
    })
  })

  it('is 503 when the database is unreachable', async () => {
    const under = reportUnderTest()
    await under.store.close()
    const { status, body } = await healthOf(under)
    expect(status).toBe(503)
    expect(body).toMatchObject({ status: 'degraded', version: '1.2.3', reasons: ['the database is unreachable'] })
  })

  it('is 500 when the program is broken', async () => {
    const { store } = reportUnderTest()
    const error = new CrunchError('STORE_CORRUPT', 'a row is not JSON')
    const under = reportUnderTest({ reads: { ...store, feedStates: () => Promise.reject(error) } })
    expect((await healthOf(under)).status).toBe(500)
  })
})
