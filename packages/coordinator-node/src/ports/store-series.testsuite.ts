import { expect, it } from 'vitest'
import type { StoreUnderTest } from './store.testsuite.ts'
import {
  answeredRound,
  btc,
  candle,
  checkpoint,
  eth,
  leaderboard,
  minute,
  minuteMs,
  periodRounds,
  prepare,
  resolveAll,
  round,
  settleRequest,
  snapshot,
} from './store-samples.ts'

export function seriesTests(context: StoreUnderTest): void {
  periodSeriesTests(context)
  scoreTests(context)
  singleTests(context)
}

/** Periods that end at minutes 10, 20 and 30, with snapshots of `a` in all and of `b` in the first two. */
async function closePeriods({ store }: StoreUnderTest): Promise<void> {
  await prepare(store)
  for (const end of [10, 20, 30]) {
    const snapshots = (end === 30 ? ['a'] : ['a', 'b']).map((id) => snapshot(id, end))
    await store.closePeriod({ rounds: periodRounds(end), snapshots, leaderboard: leaderboard(end) })
  }
}

function periodSeriesTests(context: StoreUnderTest): void {
  it('returns the leaderboards and snapshots of given periods, oldest first', async () => {
    const { store } = context
    await closePeriods(context)
    const ends = [minute(30), minute(10), minute(15), minute(30)]
    expect(await store.leaderboardsAt(ends, [])).toEqual([leaderboard(10), leaderboard(30)])
    expect(await store.snapshotsAt(ends, [])).toEqual([snapshot('a', 10), snapshot('b', 10), snapshot('a', 30)])
    expect(await store.snapshotsAt(ends, ['b', 'nobody', 'b'])).toEqual([snapshot('b', 10)])
    expect([await store.leaderboardsAt([], ['a']), await store.snapshotsAt([], ['a'])]).toEqual([[], []])
  })

  it('returns the ends of the newest periods of a span, and the ranks on their boards', async () => {
    const { store } = context
    await prepare(store)
    const counts = { scoreCount: 3, validCount: 3, roundCount: 4, coverage: 0.75 }
    const place = (modelId: string, rank: number | null, recent: number | null) => ({
      ...{ modelId, rank, unrankedReason: rank === null ? ('waiting' as const) : null, windows: { recent, steady: 9 } },
      ...{ metrics: {}, ...counts },
    })
    const entries = [place('x\u0000', 1, 0.1 + 0.2), place('b', null, -1e-300), place('"a"', null, null)]
    for (const end of [10, 20, 30, 40]) {
      const board = leaderboard(end, end === 20 ? { entries } : end === 30 ? { entries: [] } : {})
      await store.closePeriod({ rounds: periodRounds(end), snapshots: [], leaderboard: board })
    }
    const span = { from: minute(10), to: minute(30), limit: 2 }
    expect(await store.periodEnds(span)).toEqual([minute(20), minute(30)])
    expect(await store.periodEnds({ ...span, limit: 9 })).toEqual([minute(10), minute(20), minute(30)])
    expect(await store.periodEnds({ ...span, from: minute(31) })).toEqual([])
    const board = (end: number) => ({ asOf: minute(end), era: 1, rankBy: 'recent' })
    expect(await store.rankingsAt([minute(30), minute(15), minute(20), minute(30)])).toEqual([
      {
        ...board(20),
        places: [
          { modelId: 'x\u0000', rank: 1, value: 0.1 + 0.2 },
          { modelId: 'b', rank: null, value: -1e-300 },
          { modelId: '"a"', rank: null, value: null },
        ],
      },
      { ...board(30), places: [] },
    ])
    expect(await store.rankingsAt([])).toEqual([])
    // Of few models and of many, which the database does not filter.
    const many = Array.from({ length: 1_000 }, (_, count) => `many-${count}`)
    for (const others of [['unknown', 'b'], many]) {
      expect(await store.leaderboardsAt([minute(30), minute(20)], ['b', 'x\u0000', ...others])).toEqual([
        leaderboard(20, { entries: entries.slice(0, 2) }),
        leaderboard(30, { entries: [] }),
      ])
    }
    expect(await store.leaderboardsAt([minute(20)], ['"a"'])).toEqual([leaderboard(20, { entries: entries.slice(2) })])
  })

  it('adds up the numbers of a series in buckets of time', async () => {
    const { store } = context
    await store.appendRecords([
      candle(2, { close: 5, open: 4, note: 'text', none: null }),
      candle(0, { close: -1e-3, open: 0 }),
      candle(1, { close: 7 }),
      candle(9, { close: 1 }),
      candle(1, { close: 100 }, eth),
    ])
    const span = { scope: btc, from: minute(0), to: minute(9), bucketMs: 2 * minuteMs }
    const [none, one] = [{ count: 1 }, { count: 2 }]
    expect(await store.fieldBuckets(span)).toEqual([
      { ...one, start: minute(0), field: 'close', first: -1e-3, last: 7, min: -1e-3, max: 7, sum: 6.999 },
      { ...none, start: minute(0), field: 'open', first: 0, last: 0, min: 0, max: 0, sum: 0 },
      { ...none, start: minute(2), field: 'close', first: 5, last: 5, min: 5, max: 5, sum: 5 },
      { ...none, start: minute(2), field: 'open', first: 4, last: 4, min: 4, max: 4, sum: 4 },
    ])
    expect(await store.fieldBuckets({ ...span, from: minute(3) })).toEqual([])
  })

  it('returns the newest snapshot of each model in a span, both ends included', async () => {
    const { store } = context
    await closePeriods(context)
    const span = { modelIds: [], from: minute(10), to: minute(30) }
    expect(await store.newestSnapshots(span)).toEqual([snapshot('a', 30), snapshot('b', 20)])
    expect(await store.newestSnapshots({ ...span, to: minute(10) })).toEqual([snapshot('a', 10), snapshot('b', 10)])
    expect(await store.newestSnapshots({ ...span, from: minute(21) })).toEqual([snapshot('a', 30)])
    expect(await store.newestSnapshots({ ...span, modelIds: ['b', 'nobody'] })).toEqual([snapshot('b', 20)])
  })
}

function scoreTests(context: StoreUnderTest): void {
  it('adds up scores by model, schedule and cell of the time at which the truth is known', async () => {
    const { store } = context
    await prepare(store)
    for (const count of [0, 1, 2]) await answeredRound(store, round(count))
    await store.appendRecords([candle(0), candle(20)])
    await store.settleRounds(settleRequest({ now: minute(21) }), (due) =>
      resolveAll(due, { value: { value: due.round.performedAt === minute(2) ? 0.5 : 0.25, note: 'x' } }),
    )
    const { scheduleKey, scope, horizonMs, stepMs } = round(0)
    const row = (modelId: string, end: number, sum: number, count: number) => ({
      ...{ scheduleKey, scope, horizonMs, stepMs, modelId, cellEnd: minute(end), sum, count },
    })
    const span = { modelIds: [], from: minute(5), to: minute(8), cellMs: 2 * minuteMs, field: 'value' }
    // The truths of the three rounds are known at minutes 5, 6 and 7.
    expect(await store.scoreSums(span)).toEqual([
      ...[row('a', 6, 0.25, 1), row('b', 6, 0.25, 1)],
      ...[row('a', 8, 0.75, 2), row('b', 8, 0.75, 2)],
    ])
    expect(await store.scoreSums({ ...span, modelIds: ['b', 'nobody'], to: minute(7) })).toEqual([
      row('b', 6, 0.25, 1),
      row('b', 8, 0.25, 1),
    ])
    expect(await store.scoreSums({ ...span, field: 'note' })).toEqual([])
    expect(await store.scoreSums({ ...span, field: "'; drop table scores" })).toEqual([])
  })
}

function singleTests(context: StoreUnderTest): void {
  it('returns a round with its predictions, truth and scores', async () => {
    const { store } = context
    await prepare(store)
    await answeredRound(store, round(0))
    const [open, unknown] = [await store.roundReport(round(0).id), await store.roundReport('INP_none')]
    expect(unknown).toBeNull()
    expect(open?.round).toEqual({ ...round(0), answeredAt: minute(0) + 90 })
    expect(open?.predictions.map(({ prediction, score }) => [prediction.modelId, prediction.status, score])).toEqual([
      ['a', 'PENDING', null],
      ['b', 'PENDING', null],
    ])
    await store.appendRecords([candle(0), candle(20)])
    await store.settleRounds(settleRequest({ now: minute(21) }), (due) => resolveAll(due))
    const one = await store.roundReport(round(0).id, 'b')
    expect(one?.round).toMatchObject({ status: 'RESOLVED', actuals: { return: 0.01 } })
    expect(one?.predictions).toMatchObject([
      { prediction: { modelId: 'b', status: 'SCORED' }, score: { kind: 'valid' }, actuals: { return: 0.01 } },
    ])
    expect((await store.roundReport(round(0).id, 'nobody'))?.predictions).toEqual([])
  })

  it('returns a snapshot and a checkpoint by id', async () => {
    const { store } = context
    await closePeriods(context)
    await store.addCheckpoint(checkpoint(60))
    expect(await store.snapshot(snapshot('b', 20).id)).toEqual(snapshot('b', 20))
    expect(await store.checkpoint(checkpoint(60).id)).toEqual(checkpoint(60))
    expect([await store.snapshot('none'), await store.checkpoint('none')]).toEqual([null, null])
  })
}
