import { describe, expect, test } from 'vitest'
import { z } from 'zod'
import { candles, createTrend, openCompetition, steady, type TestModel } from '../test/competition.ts'
import { changedContract, market, resolvedContract } from '../test/sample-contract.ts'
import { createVirtualClock } from './adapters/clock/clocks.ts'
import { createMemoryStore } from './adapters/store/memory/memory-store.ts'
import { type TierOptions, tiers } from './contract/defaults/tiers.ts'
import type { FeedRecord } from './domain/feed-record.ts'
import { createPipeline } from './pipeline.ts'
import { silentLog } from './ports/log.ts'
import { candle, minute } from './ports/store-samples.ts'
import { settleRounds } from './stages/score/settle-rounds.ts'

const sum = (values: readonly number[]) => values.reduce((total, value) => total + value, 0)

// Rounds open every minute and resolve after five; snapshots every 10 minutes, checkpoints every 30.

describe('accept', () => {
  test('parses each record once, and reports a rejected record once', async () => {
    let parsedCount = 0
    const values = z.object({ close: z.number() }).refine(() => {
      parsedCount += 1
      return true
    })
    const { drive, lines, store } = await openCompetition({ changes: { feed: { ...market, values } } })
    await drive(candle(0), candle(1), candle(2, { close: 'high' }))
    expect(parsedCount).toBe(2)
    expect(lines.map(({ message }) => message)).toEqual(['a record was rejected'])
    expect(store.dump().rounds).toHaveLength(2)
  })

  test('calls the models and stores the records concurrently', async () => {
    const inner = createMemoryStore()
    let release = () => {}
    const isReleased = new Promise<void>((resolve) => {
      release = resolve
    })
    const store = {
      ...inner,
      appendRecords: (records: readonly FeedRecord[]) => isReleased.then(() => inner.appendRecords(records)),
    }
    const model: TestModel = {
      predict() {
        release()
        return { value: 0.5 }
      },
    }
    const { drive } = await openCompetition({ store, models: { model } })
    await drive(candle(0))
    expect(inner.dump()).toMatchObject({ feedRecordCount: 1, predictions: [{ status: 'PENDING' }] })
  })

  test('passes records stored by another process to the models without storing them again', async () => {
    const { store, pipeline, clock } = await openCompetition()
    clock.advanceTo(minute(1))
    expect((await pipeline.acceptStored([candle(0)])).rounds).toHaveLength(1)
    expect(store.dump().feedRecordCount).toBe(0)
  })

  test('only stores records in a process that opens no rounds, and returns the new ones', async () => {
    const stored: (readonly FeedRecord[])[] = []
    const ports = { store: createMemoryStore(), clock: createVirtualClock(minute(2)), log: silentLog }
    const onStored = async (records: readonly FeedRecord[]) => void stored.push(records)
    const pipeline = createPipeline(changedContract({}), { ...ports, onStored })
    expect(await pipeline.accept([candle(0), candle(1)])).toEqual({ rounds: [], predictionCount: 0 })
    await pipeline.accept([candle(1)])
    expect(stored.map((records) => records.length)).toEqual([2, 0])
    expect(ports.store.dump()).toMatchObject({ feedRecordCount: 2, rounds: [] })
  })
})

describe('settling', () => {
  test('scores rounds once their truth is known, and not before', async () => {
    const { store, drive, pipeline } = await openCompetition()
    await drive(...candles(0, 4))
    expect(await pipeline.settle()).toMatchObject({ resolvedCount: 0, waitingCount: 0 })
    await drive(...candles(5, 5))
    expect(await pipeline.settle()).toMatchObject({ resolvedCount: 1, voidCount: 0 })
    const [first] = store.dump().rounds
    const [entry, exit] = [candles(0, 0)[0]?.values.close as number, candles(5, 5)[0]?.values.close as number]
    expect(first).toMatchObject({ status: 'RESOLVED', actuals: { return: exit / entry - 1 } })
    expect(store.dump().scores.map((score) => [score.modelId, score.value?.value])).toEqual([
      ['a', expect.closeTo(5_000 * (exit / entry - 1), 9)],
      ['b', expect.closeTo(-5_000 * (exit / entry - 1), 9)],
    ])
  })

  test('a second time changes nothing', async () => {
    const { store, drive, pipeline } = await openCompetition()
    await drive(...candles(0, 60))
    await pipeline.settle()
    await pipeline.checkpoint()
    const before = JSON.stringify(store.dump())
    expect(await pipeline.settle()).toEqual({
      resolvedCount: 0,
      voidCount: 0,
      waitingCount: 0,
      waitingReason: null,
      closedPeriodCount: 0,
    })
    expect(await pipeline.checkpoint()).toBe(0)
    expect(JSON.stringify(store.dump())).toBe(before)
  })

  test('continues when the scorer throws for some predictions, with one warning per round', async () => {
    const compute = ({ output }: { output: { value: number } }) => {
      if (output.value < 0) throw new Error('negative')
      return { value: output.value, hit: true }
    }
    const { store, lines, drive, pipeline } = await openCompetition({
      changes: { score: { compute } },
      models: { a: steady(0.5), b: steady(-0.5), c: steady(-1) },
    })
    await drive(...candles(0, 21))
    await pipeline.settle()
    const kinds = store.dump().scores.map((score) => `${score.modelId}:${score.kind}:${score.reason}`)
    const reason = store.dump().scores.find(({ modelId }) => modelId === 'b')?.reason
    expect(reason).toMatch(/^score\.compute failed at src\/pipeline\.test\.ts:\d+: negative$/)
    expect([...new Set(kinds)]).toEqual(['a:valid:null', `b:imputed:${reason}`, `c:imputed:${reason}`])
    expect(lines).toHaveLength(17)
    expect(lines[0]).toMatchObject({
      level: 'error',
      message: 'the contract could not score a prediction',
      fields: { stage: 'score', failedCount: 2, reason },
    })
    const board = await store.latestLeaderboard()
    expect(board?.entries.map(({ modelId, rank, scoreCount }) => [modelId, rank, scoreCount])).toEqual([
      ['a', 1, 14],
      ['b', null, 14],
      ['c', null, 14],
    ])
  })

  test('can need several transactions', async () => {
    const { drive, pipeline } = await openCompetition({ models: { a: steady(0.5) } })
    await drive(...candles(0, 460))
    expect(await pipeline.settle()).toMatchObject({ resolvedCount: 456 })
  })

  test('passes the records in between to the contract if it requests them', async () => {
    const resolve = ({ records }: { records: unknown[] }) => ({ return: records.length })
    const { store, drive, pipeline } = await openCompetition({ changes: { truth: { records: true, resolve } } })
    await drive(...candles(0, 5))
    await pipeline.settle()
    expect(store.dump().rounds[0]?.actuals).toEqual({ return: 5 })
  })
})

describe('a gap of the feed', () => {
  test('makes rounds that end in it void with blame on the coordinator, and the period still closes', async () => {
    const { store, lines, drive, pipeline } = await openCompetition()
    // Rounds open at minutes 1 to 10; the last value before the gap is known at minute 10.
    await drive(...candles(0, 9))
    await drive(...candles(100, 102))
    await pipeline.settle()
    const { rounds, predictions, snapshots, leaderboards } = store.dump()
    const voids = rounds.filter((round) => round.voidReason !== null).map((round) => round.performedAt)
    // A value may be one minute old, so the round of minute 6 has a truth.
    expect(voids).toEqual([7, 8, 9, 10].map(minute))
    expect(rounds[6]?.voidReason).toMatch(/120000 ms old/)
    const ofVoid = predictions.filter((row) => voids.includes(row.performedAt))
    expect(ofVoid).toHaveLength(8)
    for (const row of ofVoid) {
      expect(row).toMatchObject({ status: 'FAILED', reason: 'truth_unavailable', blame: 'coordinator' })
    }
    expect(lines.filter((line) => line.message === 'a round is void')).toHaveLength(4)
    expect(leaderboards.map((board) => board.asOf)).toEqual([minute(10), minute(20)])
    expect(snapshots.map((snapshot) => [snapshot.modelId, snapshot.dueCount, snapshot.answeredCount])).toEqual([
      ...[['a', 4, 4], ['b', 4, 4], ['a', 2, 2], ['b', 2, 2]], // biome-ignore format: a table
    ])
  })

  test('leaves a round unsettled until it expires', async () => {
    const { clock, drive, pipeline } = await openCompetition({ changes: { truth: { expire: '30m' } } })
    await drive(...candles(0, 9))
    await drive(...candles(20, 20))
    expect(await pipeline.settle()).toMatchObject({ voidCount: 0, waitingCount: 4, closedPeriodCount: 1 })
    clock.advanceTo(minute(12 + 30) - 1)
    expect(await pipeline.settle()).toMatchObject({ voidCount: 0, waitingCount: 4 })
    clock.advanceTo(minute(12 + 30))
    expect(await pipeline.settle()).toMatchObject({ voidCount: 1, waitingCount: 3 })
    // By then the round of minute 21, which ends in the second gap, has expired too.
    clock.advanceTo(minute(60))
    expect(await pipeline.settle()).toMatchObject({ voidCount: 4, closedPeriodCount: 2 })
  })

  test('closes a period with only void rounds, without snapshots', async () => {
    const { store, clock, drive, pipeline } = await openCompetition()
    await drive(candle(5), candle(6))
    clock.advanceTo(minute(120))
    await pipeline.settle()
    expect(store.dump().snapshots).toEqual([])
    expect(store.dump().leaderboards).toMatchObject([
      { asOf: minute(20), entries: [{ modelId: 'a', rank: null, windows: { recent: null } }, { modelId: 'b' }] },
    ])
    expect(await pipeline.checkpoint()).toBe(1)
    expect(store.dump().checkpoints).toMatchObject([{ snapshotCount: 0, entries: [] }])
  })
})

describe('a distrusted series', () => {
  test('makes the rounds that end in it void once they expire, and periods still close', async () => {
    const changes = { feed: { ...market, gate: { frozenAfter: 3 } } }
    const { store, lines, clock, drive, pipeline } = await openCompetition({ changes })
    const frozen = Array.from({ length: 10 }, (_, index) => candle(10 + index, { close: 50 }))
    await drive(...candles(0, 9), ...frozen, ...candles(20, 40))
    expect(await pipeline.settle()).toMatchObject({ voidCount: 0, waitingCount: 5, closedPeriodCount: 1 })
    clock.advanceTo(minute(60 + 20))
    expect(await pipeline.settle()).toMatchObject({ voidCount: 5, closedPeriodCount: 3 })
    const { rounds, predictions, scores } = store.dump()
    const voids = rounds.filter((round) => round.voidReason !== null)
    expect(voids.map((round) => round.resolvableAt)).toEqual([13, 14, 15, 16, 17].map(minute))
    for (const { voidReason } of voids) expect(voidReason).toMatch(/^the feed was not trusted at the horizon/)
    const ofVoid = predictions.filter(({ roundId }) => voids.some(({ id }) => id === roundId))
    expect(ofVoid).toHaveLength(10)
    for (const row of ofVoid) {
      expect(row).toMatchObject({ status: 'FAILED', reason: 'truth_unavailable', blame: 'coordinator' })
    }
    expect(scores.filter(({ roundId }) => voids.some(({ id }) => id === roundId))).toEqual([])
    expect(lines.filter((line) => line.message === 'a round is void')).toHaveLength(5)
    expect(await store.roundCounts()).toMatchObject({ missedCount: 8 })
  })

  test('is scored when its gap is filled before the round expires', async () => {
    const changes = { feed: { ...market, gate: { maxJump: 0.1 } } }
    const { store, drive, pipeline } = await openCompetition({ changes })
    // The last record is a jump until the two missing ones arrive.
    await drive(candle(0, { close: 100 }), candle(1, { close: 100 }), candle(2, { close: 100 }))
    await drive(candle(5, { close: 120 }))
    await pipeline.settle()
    expect(store.dump().rounds.map(({ status }) => status)).toEqual(['RECEIVED', 'RECEIVED', 'RECEIVED'])
    await pipeline.accept([candle(3, { close: 106 }), candle(4, { close: 113 })])
    expect(await pipeline.settle()).toMatchObject({ resolvedCount: 1, voidCount: 0 })
  })

  test('without a gate is settled without evidence', async () => {
    const asked: unknown[] = []
    const store = createMemoryStore()
    const listening = {
      ...store,
      settleRounds(...[request, decide]: Parameters<typeof store.settleRounds>) {
        asked.push(request.evidence)
        return store.settleRounds(request, decide)
      },
    }
    const { drive, pipeline } = await openCompetition({ store: listening })
    await drive(...candles(0, 10))
    await pipeline.settle()
    expect(asked).toEqual([[]])
  })
})

describe('periods', () => {
  test('contain the scores of the rounds that resolve in them', async () => {
    const { store, drive, pipeline } = await openCompetition({ models: { a: steady(0.5) } })
    await drive(...candles(0, 40))
    expect(await pipeline.settle()).toMatchObject({ closedPeriodCount: 4 })
    const { snapshots, scores } = store.dump()
    expect(snapshots.map((snapshot) => snapshot.scoreCount)).toEqual([4, 10, 10, 10])
    for (const snapshot of snapshots) {
      const own = scores.filter(({ resolvableAt: at }) => at >= snapshot.periodStart && at < snapshot.periodEnd)
      expect(snapshot.sums.value?.sum).toBe(sum(own.map((score) => score.value?.value as number)))
    }
  })

  test('do not close while a later record could still open a round in them', async () => {
    const { clock, drive, pipeline } = await openCompetition()
    await drive(...candles(0, 3))
    clock.advanceTo(minute(10))
    expect(await pipeline.settle()).toMatchObject({ closedPeriodCount: 0 })
  })

  test('count imputed scores for answers that are missing by the model’s own fault', async () => {
    let calls = 0
    const lazy: TestModel = {
      predict() {
        calls += 1
        return calls > 2 ? undefined : { value: 1 }
      },
    }
    const { store, drive, pipeline } = await openCompetition({ models: { a: steady(0.5), lazy } })
    await drive(...candles(0, 12))
    await pipeline.settle()
    const [, own] = store.dump().snapshots
    expect(own).toMatchObject({ modelId: 'lazy', dueCount: 4, answeredCount: 2, scoreCount: 4 })
    const board = await store.latestLeaderboard()
    expect(board?.entries.find((entry) => entry.modelId === 'lazy')).toMatchObject({ coverage: 0.5, scoreCount: 4 })
  })

  test('are closed by only one of two processes, and both see the same result', async () => {
    const store = createMemoryStore()
    const first = await openCompetition({ store })
    const second = await openCompetition({ store, clock: first.clock })
    for (const [from, to, settling] of [
      [0, 21, first],
      [22, 42, second],
      [43, 63, first],
    ] as const) {
      await first.drive(...candles(from, to))
      await settling.pipeline.settle()
    }
    const alone = await openCompetition()
    await alone.drive(...candles(0, 63))
    await alone.pipeline.settle()
    expect(store.dump().leaderboards).toHaveLength(6)
    expect(store.dump().leaderboards).toEqual(alone.store.dump().leaderboards)
  })

  test('are closed once when two processes settle concurrently', async () => {
    const store = createMemoryStore()
    const first = await openCompetition({ store })
    const second = await openCompetition({ store, clock: first.clock })
    await first.drive(...candles(0, 42))
    const settled = await Promise.all([first.pipeline.settle(), second.pipeline.settle()])
    expect(sum(settled.map(({ resolvedCount }) => resolvedCount))).toBe(38)
    await first.drive(...candles(43, 63))
    await Promise.all([first.pipeline.settle(), second.pipeline.settle()])
    await Promise.all([first.pipeline.checkpoint(), second.pipeline.checkpoint()])
    const alone = await openCompetition()
    await alone.drive(...candles(0, 63))
    await alone.pipeline.settle()
    await alone.pipeline.checkpoint()
    const { snapshots, leaderboards, checkpoints } = alone.store.dump()
    expect(store.dump()).toMatchObject({ snapshots, leaderboards, checkpoints })
  })

  test('a model that joins later is on the leaderboards from then on', async () => {
    const { store, runner, drive, pipeline } = await openCompetition({ models: { a: steady(0.1) } })
    await drive(...candles(0, 20))
    runner.connect({ a: steady(0.1), late: createTrend(1) })
    await drive(...candles(21, 42))
    await pipeline.settle()
    expect(store.dump().leaderboards.map(({ entries }) => entries.map(({ modelId }) => modelId).sort())).toEqual([
      ...[['a'], ['a'], ['a', 'late'], ['a', 'late']], // biome-ignore format: a table
    ])
    const late = store.dump().snapshots.filter((snapshot) => snapshot.modelId === 'late')
    expect(late.map(({ dueCount }) => dueCount)).toEqual([3, 10])
  })
})

describe('checkpoints', () => {
  test('divide everything among the ranked models, and contain the payees', async () => {
    const models = { a: steady(0.5), b: steady(-0.5), c: createTrend(1), d: createTrend(-0.3), same: steady(0.5) }
    const payees = { crunch: 'my-crunch', computeProvider: 'compute', dataProvider: null }
    const { store, drive, pipeline } = await openCompetition({ models, payees })
    await drive(...candles(0, 100))
    await pipeline.settle()
    expect(await pipeline.checkpoint()).toBe(3)
    const { checkpoints, snapshots } = store.dump()
    expect(checkpoints.map(({ periodEnd }) => periodEnd)).toEqual([30, 60, 90].map(minute))
    for (const checkpoint of checkpoints) {
      expect(sum(checkpoint.entries.map((entry) => entry.rewardFrac64))).toBe(1_000_000_000)
      expect(checkpoint).toMatchObject({ status: 'PENDING', snapshotCount: 15, ...payees })
      const place = Object.fromEntries(checkpoint.entries.map((entry) => [entry.modelId, entry]))
      expect(place.a?.rank).toBe(place.same?.rank)
      expect(Math.abs((place.a?.rewardFrac64 ?? 0) - (place.same?.rewardFrac64 ?? 0))).toBeLessThanOrEqual(1)
      const own = snapshots.filter(
        (row) =>
          row.modelId === 'c' && row.periodStart >= checkpoint.periodStart && row.periodEnd <= checkpoint.periodEnd,
      )
      const total = sum(own.map((row) => row.sums.value?.sum ?? 0)) / sum(own.map((row) => row.sums.value?.count ?? 0))
      expect(place.c?.value).toBeCloseTo(total, 9)
    }
  })

  test('wait for the snapshots of their period', async () => {
    const { store, clock, drive, pipeline } = await openCompetition()
    await drive(...candles(0, 40))
    expect(await pipeline.checkpoint()).toBe(0)
    // All rounds are terminal, but no period is closed yet, as between two steps of another process.
    await settleRounds(resolvedContract(), { store, log: silentLog }, clock.now())
    expect(await pipeline.checkpoint()).toBe(0)
    await pipeline.settle()
    expect(await pipeline.checkpoint()).toBe(1)
  })

  test.each([
    ['an error', { baseline: 'flat' }, { level: 'error', fields: { reason: 'floor_unknown' } }],
    ['a warning', { value: 1e9 }, { level: 'warn', fields: { reason: 'nobody_above_floor' } }],
  ])('that pay no model are %s', async (_, payAbove, line) => {
    const emission = tiers({ payAbove } as TierOptions)
    const { drive, pipeline, lines } = await openCompetition({ changes: { checkpoint: { emission } } })
    await drive(...candles(0, 40))
    await pipeline.settle()
    await pipeline.checkpoint()
    expect(lines.filter(({ message }) => message === 'a checkpoint pays no model')).toMatchObject([line])
  })

  test('contain no payees unless the operator has set them', async () => {
    const { store, drive, pipeline } = await openCompetition()
    await drive(...candles(0, 40))
    await pipeline.settle()
    await pipeline.checkpoint()
    expect(store.dump().checkpoints[0]).toMatchObject({ crunch: null, computeProvider: null, dataProvider: null })
  })
})
