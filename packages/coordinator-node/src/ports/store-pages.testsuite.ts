import { expect, it } from 'vitest'
import type { StoreUnderTest } from './store.testsuite.ts'
import {
  btc,
  candle,
  checkpoint,
  eth,
  filter,
  leaderboard,
  minute,
  periodRounds,
  prediction,
  prepare,
  round,
  snapshot,
} from './store-samples.ts'

/** Follows pages of two rows until one is not full. */
async function pages<Row>(read: (last: Row | undefined) => Promise<readonly Row[]>): Promise<Row[]> {
  const rows: Row[] = []
  for (let page = await read(undefined); page.length > 0; page = await read(rows.at(-1))) {
    rows.push(...page)
    if (page.length < 2) break
  }
  return rows
}

/** Lists that are read page by page, newest first: no row is left out or repeated, also at one instant. */
export function pageTests(context: StoreUnderTest): void {
  it('reads predictions and failures before a position', async () => {
    const { store } = context
    const modelIds = ['a', 'b', 'é', 'z']
    await prepare(store, modelIds)
    const both = [round(1), round(1, { id: 'INP_ETHUSDT-5m_x', scheduleKey: 'ETHUSDT-5m', scope: eth })]
    const missing = { status: 'ABSENT', output: null, reason: 'timeout', blame: 'model' } as const
    for (const asked of [round(0), ...both, round(2)]) {
      await store.openRound(asked)
      const answers = modelIds.map((id) => prediction(asked, id, id === 'a' ? missing : {}))
      await store.recordAnswers(asked.id, asked.performedAt + 90, answers)
    }
    for (const wanted of [[], ['a', 'z'], ['b']]) {
      const all = (await store.predictionReports(filter({ modelIds: wanted }))).toReversed()
      const paged = await pages<(typeof all)[number]>(async (last) => {
        const page = { ...filter({ modelIds: wanted, limit: 2 }), before: last?.prediction ?? null }
        return (await store.predictionReports(page)).toReversed()
      })
      expect([wanted, paged]).toEqual([wanted, all])
      expect(all).toHaveLength(4 * (wanted.length || modelIds.length))
    }
    const failures = { modelId: 'a', since: minute(0), limit: 2 }
    const all = await store.modelFailures({ ...failures, limit: 9 })
    const paged = await pages<(typeof all)[number]>(async (last) =>
      (await store.modelFailures({ ...failures, before: last ?? null })).toReversed(),
    )
    expect([paged.toReversed(), all.length]).toEqual([all, 4])
    const until = { ...failures, until: minute(1), limit: 9 }
    expect((await store.modelFailures(until)).map(({ performedAt }) => performedAt)).toEqual([0, 1, 1].map(minute))
  })

  it('reads snapshots before a position', async () => {
    const { store } = context
    await prepare(store, ['a', 'b', 'c'])
    for (const end of [10, 20, 30]) {
      const snapshots = ['a', 'b', 'c'].map((id) => snapshot(id, end))
      await store.closePeriod({ snapshots, rounds: periodRounds(end), leaderboard: leaderboard(end) })
    }
    for (const wanted of [[], ['a', 'c']]) {
      const all = (await store.snapshotReports(filter({ modelIds: wanted }))).toReversed()
      const paged = await pages<(typeof all)[number]>(async (last) => {
        const page = { ...filter({ modelIds: wanted, limit: 2 }), before: last ?? null }
        return (await store.snapshotReports(page)).toReversed()
      })
      expect(paged).toEqual(all)
      expect(all).toHaveLength(3 * (wanted.length || 3))
    }
  })

  it('reads checkpoints of a range before a position', async () => {
    const { store } = context
    for (const end of [60, 120, 180, 240]) await store.addCheckpoint(checkpoint(end))
    const ends = async (wanted: Parameters<typeof store.checkpoints>[0]) =>
      (await store.checkpoints(wanted)).map(({ periodEnd }) => periodEnd)
    expect(await ends({ before: minute(180), limit: 9 })).toEqual([minute(120), minute(60)])
    expect(await ends({ before: minute(180), limit: 1 })).toEqual([minute(120)])
    expect(await ends({ from: minute(120), to: minute(180), limit: 9 })).toEqual([minute(180), minute(120)])
    expect(await ends({ from: minute(120), before: minute(180), status: 'PENDING', limit: 9 })).toEqual([minute(120)])
  })

  it('reads the newest records of a series up to the time of an event', async () => {
    const { store } = context
    await store.appendRecords([candle(0), candle(1), candle(2), candle(1, { close: 9 }, eth)])
    const newest = async (limit: number, through: number) => store.newestRecords(btc, limit, through)
    expect(await newest(9, Number.POSITIVE_INFINITY)).toEqual([candle(2), candle(1), candle(0)])
    expect(await newest(1, candle(1).eventAt)).toEqual([candle(1)])
    expect(await newest(9, candle(1).eventAt - 1)).toEqual([candle(0)])
    expect(await newest(9, candle(0).eventAt - 1)).toEqual([])
  })
}
