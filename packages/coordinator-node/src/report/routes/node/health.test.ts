import { describe, expect, it } from 'vitest'
import { CrunchError } from '../../../domain/errors.ts'
import { btc, candle, minute } from '../../../ports/store-samples.ts'
import { type ReportUnderTest, reportUnderTest } from '../../report-app.testkit.ts'

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
  it('is ok while the feed is up and workers make progress', async () => {
    const under = reportUnderTest({ progress: () => ({ alarms: [], notes: ['no model yet'] }) })
    await under.store.appendRecords([candle(58)])
    await under.store.putFeedStatus(btc, 'up', null, minute(59))
    expect(await healthOf(under)).toEqual({
      status: 200,
      body: { status: 'ok', version: '1.2.3', reasons: [], standing_still: [], notes: ['no model yet'] },
    })
  })

  it('is degraded, not down, with the distrusted feed, its start and reason', async () => {
    const under = reportUnderTest()
    await under.store.appendRecords([candle(58)])
    await under.store.putFeedStatus(btc, 'stale', 'nothing new for 3 granularities', minute(59))
    const reason =
      'feed binance:BTCUSDT:candle:1m is stale since 2026-03-01T10:59:00.000Z: nothing new for 3 granularities'
    expect(await healthOf(under)).toEqual({
      status: 200,
      body: { status: 'degraded', version: '1.2.3', reasons: [reason], standing_still: [], notes: [] },
    })
  })

  it('is degraded by a silent feed with status up, because the feed worker may be dead', async () => {
    const under = reportUnderTest()
    // It is minute 60.
    await under.store.appendRecords([candle(57)])
    await under.store.putFeedStatus(btc, 'up', null, minute(58))
    expect((await healthOf(under)).body.reasons).toEqual([
      'feed binance:BTCUSDT:candle:1m has had no new record since 2026-03-01T10:58:00.000Z',
    ])
    await under.store.appendRecords([candle(58)])
    expect((await healthOf(under)).body.status).toBe('ok')
  })

  it('ignores series that the contract does not have: backfilled ones, or those of an earlier contract', async () => {
    const under = reportUnderTest()
    await under.store.appendRecords([candle(58), candle(1, undefined, { ...btc, subject: 'SOLUSDT' })])
    await under.store.putFeedStatus(btc, 'up', null, minute(59))
    expect((await healthOf(under)).body).toMatchObject({ status: 'ok', reasons: [] })
  })

  it('does not treat a record from the future as fresh', async () => {
    const under = reportUnderTest()
    await under.store.appendRecords([candle(180)])
    await under.store.putFeedStatus(btc, 'up', null, minute(59))
    expect((await healthOf(under)).body).toMatchObject({
      status: 'degraded',
      reasons: [expect.stringMatching(/newest record, known at 2026-03-01T13:01.*is from the future/)],
    })
  })

  it('is degraded by a standstill, described as a sentence and as fields', async () => {
    const alarm = {
      ...{ stage: 'score', what: '3 rounds could be settled, but are not', since: minute(50) },
      ...{ heldUpBy: 'the score worker is silent', fix: 'crunch restart score' },
    }
    const under = reportUnderTest({ progress: () => ({ alarms: [alarm], notes: [] }) })
    const { heldUpBy: held_up_by, ...rest } = alarm
    expect(await healthOf(under)).toMatchObject({
      status: 200,
      body: {
        status: 'degraded',
        reasons: [
          '3 rounds could be settled, but are not, since 2026-03-01T10:50:00.000Z; cause: the score worker is silent; fix: crunch restart score',
        ],
        standing_still: [{ ...rest, since: '2026-03-01T10:50:00.000Z', held_up_by }],
      },
    })
  })

  it('reports that no rounds can open, with the holder of the predict lease and the start of its silence', async () => {
    const { store } = reportUnderTest()
    const state = { holder: 'host-a, process 7', takenAt: minute(1), heartbeatAt: minute(59), silentMs: 60_000 }
    const healthWith = async (change: Partial<typeof state> | { holder: null }) => {
      const reads = { ...store, leaseState: async () => ({ ...state, ...change }) }
      return (await healthOf(reportUnderTest({ reads }))).body
    }
    const since = '2026-03-01T10:59:00.000Z'
    expect(await healthWith({})).toMatchObject({
      status: 'degraded',
      reasons: [
        `no rounds can open: the predict worker that holds the lease (host-a, process 7) has been silent since ${since}, for 60 s`,
      ],
      predict_lease: { holder: 'host-a, process 7', taken_at: '2026-03-01T10:01:00.000Z', silent_ms: 60_000 },
    })
    expect(await healthWith({ holder: null })).toMatchObject({
      reasons: [`no rounds can open: no predict worker has been active since ${since}`],
    })
    // The database clock was set back: a heartbeat in the future does not count.
    expect(await healthWith({ silentMs: -60_000 })).toMatchObject({ status: 'degraded' })
    for (const silentMs of [-5_000, 0, 10_000]) {
      expect(await healthWith({ silentMs })).toMatchObject({ status: 'ok', reasons: [] })
    }
  })

  it('is 503 when the database is unreachable', async () => {
    const under = reportUnderTest()
    await under.store.close()
    const { status, body } = await healthOf(under)
    expect(status).toBe(503)
    expect(body).toMatchObject({ status: 'degraded', version: '1.2.3', reasons: ['the database is unreachable'] })
  })

  const failing = (error: Error) => {
    const { store } = reportUnderTest()
    return reportUnderTest({ reads: { ...store, feedStates: () => Promise.reject(error) } })
  }

  it('is 503 with the reason when the database is damaged', async () => {
    const publicReason = 'it holds a value that cannot be read'
    const { status, body } = await healthOf(failing(new CrunchError('STORE_CORRUPT', 'secret row', { publicReason })))
    expect(status).toBe(503)
    expect(body).toMatchObject({ status: 'degraded', reasons: [`the database is damaged: ${publicReason}`] })
  })

  it('is 500 for a bug', async () => {
    expect((await healthOf(failing(new TypeError('broken')))).status).toBe(500)
  })
})
