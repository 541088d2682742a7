import { describe, expect, it } from 'vitest'
import { changedContract } from '../../../test/sample-definition.ts'
import { CrunchError } from '../../domain/errors.ts'
import { feedScopeKey } from '../../domain/feed-record.ts'
import { describeCompetition } from '../../live/describe-competition.ts'
import { createPayouts } from '../../live/payouts/create-payouts.ts'
import { btc, candle, checkpoint, minute, prepare } from '../../ports/store-samples.ts'
import { type ReportUnderTest, reportUnderTest } from '../report-app.testkit.ts'
import type { ReportContext } from '../report-context.ts'

interface Check {
  readonly state: string
  readonly reasons: readonly string[]
}
interface Readiness {
  readonly status: string
  readonly checks: Readonly<Record<'database' | 'feeds' | 'models' | 'payouts' | 'lag', Check>>
  readonly message?: string
}

const ok = { state: 'ok', reasons: [] }

async function running(overrides: Partial<ReportContext> = {}): Promise<ReportUnderTest> {
  const under = reportUnderTest(overrides)
  await under.store.appendRecords([candle(58)])
  await under.store.putFeedStatus(btc, 'up', null, minute(59))
  await prepare(under.store)
  return under
}

const oneFeed = { contract: { ...contractOf(), feeds: [feedScopeKey(btc)] } }

function contractOf(): ReportContext['contract'] {
  return {
    ...{ feeds: [], windows: [], windowMs: {}, inputWindowMs: 1, snapshotEveryMs: 1, rankBy: '', direction: 'desc' },
    ...{ newcomers: 'wait', minRankCoverage: 0, hasOwnOrder: false, minPayCoverage: 0, reveal: 'with truth' },
    organizer: { cruncherId: 'c', baselines: [] },
    ...{ value: 'value', metrics: [], scoreFields: ['value'] },
    competition: describeCompetition(changedContract({})),
  }
}

describe('/readyz', () => {
  it('is ready while the database, the feeds, the models and the pipeline are well', async () => {
    const { status, body } = await (await running(oneFeed)).get<Readiness>('/readyz')
    expect([status, body]).toEqual([
      200,
      { status: 'ready', checks: { database: ok, feeds: ok, models: ok, payouts: ok, lag: ok } },
    ])
  })

  it('is degraded, still ready, when another feed of the contract has delivered nothing', async () => {
    const { status, body } = await (await running()).get<Readiness>('/readyz')
    expect([status, body.checks.feeds]).toEqual([
      200,
      { state: 'degraded', reasons: ['feed binance:ETHUSDT:candle:1m has no record yet'] },
    ])
  })

  it('is not ready when no feed can be trusted', async () => {
    const under = await running(oneFeed)
    await under.store.putFeedStatus(btc, 'down', 'refused', minute(59))
    const { status, body } = await under.get<Readiness>('/readyz')
    const reason = 'feed binance:BTCUSDT:candle:1m is down since 2026-03-01T10:59:00.000Z: refused'
    expect([status, body.status, body.checks.feeds, body.message]).toEqual([
      ...[503, 'not ready', { state: 'failing', reasons: [reason] }, reason],
    ])
    expect(body.checks.lag).toEqual(ok)
  })

  it('is not ready without a model that takes part, but one that left does not matter', async () => {
    const under = await running(oneFeed)
    await under.store.beginRetirements([{ modelId: 'a', reason: 'left' }], minute(50))
    expect((await under.get<Readiness>('/readyz')).status).toBe(200)
    await under.store.beginRetirements([{ modelId: 'b', reason: 'left' }], minute(50))
    const { status, body } = await under.get<Readiness>('/readyz')
    expect([status, body.checks.models.state]).toEqual([503, 'failing'])
  })

  it('is degraded while a payout waits and the wallets cannot be read, without the place that only the log names', async () => {
    const { store } = reportUnderTest()
    let failure: CrunchError | null = new CrunchError('REGISTRY_UNAVAILABLE', '/secret/crunchers.json: gone', {
      publicReason: 'the registry of crunchers cannot be read',
    })
    let time = minute(70)
    const registry = {
      place: 'crunchers.json',
      accounts: () => (failure === null ? Promise.resolve(new Map()) : Promise.reject(failure)),
    }
    const payouts = createPayouts({ store, registry, chain: null, crunch: null, now: () => time })
    const under = await running({ ...oneFeed, payouts })
    const state = async () => (await under.get<Readiness>('/readyz')).body.checks.payouts
    expect(await state()).toEqual(ok)
    await under.store.addCheckpoint(checkpoint(60))
    // The first look begins to read, and waits for nothing.
    await state()
    expect(await state()).toEqual({
      state: 'degraded',
      reasons: [
        `the registry of crunchers cannot be read, since 2026-03-01T11:10:00.000Z: waiting payouts: ${checkpoint(60).id}`,
      ],
    })
    const latest = await under.get<{ meta: Record<string, unknown> }>('/reports/checkpoints/latest')
    expect(latest.body.meta.registry_problem).toBe('the registry of crunchers cannot be read')
    const emission = await under.get<Record<string, unknown>>('/reports/emissions/latest')
    expect(emission.body.registry_problem).toBe('the registry of crunchers cannot be read')
    failure = null
    time += 30_000
    await state()
    expect(await state()).toEqual(ok)
    const again = await under.get<{ meta: Record<string, unknown> }>('/reports/checkpoints/latest')
    expect(again.body.meta.registry_problem).toBeNull()
  })

  it('is not ready while a stage is overdue, or nobody can open rounds', async () => {
    const alarm = { stage: 'score', what: '3 rounds wait', since: minute(50), heldUpBy: 'silence', fix: 'restart' }
    const overdue = await running({ ...oneFeed, progress: () => ({ alarms: [alarm], notes: [] }) })
    expect(await overdue.get<Readiness>('/readyz')).toMatchObject({
      status: 503,
      body: { checks: { lag: { state: 'failing', reasons: [expect.stringContaining('3 rounds wait, since')] } } },
    })
    const { store } = await running()
    const lease = { holder: null, takenAt: minute(1), heartbeatAt: minute(59), silentMs: 60_000 }
    const leaderless = reportUnderTest({ reads: { ...store, leaseState: async () => lease } })
    expect((await leaderless.get<Readiness>('/readyz')).body.checks.lag.reasons).toEqual([
      expect.stringContaining('no rounds can open'),
    ])
  })

  it('knows the limits of what it knows when the database is unreachable, and asks it within the limit of health', async () => {
    const limits: number[] = []
    const { store } = reportUnderTest()
    await store.close()
    const probe: ReportContext['probe'] = (limitMs, read) => {
      limits.push(limitMs)
      return read(store)
    }
    const under = reportUnderTest({ reads: store, probe })
    const unknown = { state: 'unknown', reasons: ['it cannot be read without the database'] }
    expect(await under.get<Readiness>('/readyz')).toMatchObject({
      status: 503,
      body: {
        checks: {
          database: { state: 'failing', reasons: ['the database is unreachable'] },
          ...{ feeds: unknown, models: unknown, payouts: unknown, lag: unknown },
        },
      },
    })
    expect(limits).toEqual([1_000])
  })
})
