import { describe, expect, test, vi } from 'vitest'
import { candles, createTrend, openCompetition, steady, type TestModel } from '../test/competition.ts'
import { market } from '../test/sample-contract.ts'
import { createMemoryStore } from './adapters/store/memory/memory-store.ts'
import { btc, candle, eth, minute, model } from './ports/store-samples.ts'
import { driveBatch } from './recording/drive-recording.ts'

const never = new Promise<never>(() => {})

const openedAt = (rounds: readonly { readonly performedAt: number }[]) =>
  rounds.map((round) => (round.performedAt - minute(0)) / 60_000)

describe('a round', () => {
  test('has one row per registered model, with reason and blame for missing answers', async () => {
    const store = createMemoryStore()
    await store.registerModels([model('gone')], minute(0))
    const models: Record<string, TestModel> = {
      good: steady(0.5),
      wrong: steady(5),
      empty: { predict: () => undefined },
      broken: { predict: () => { throw new Error('division by zero') } }, // biome-ignore format: a table
      hanging: { predict: () => never },
      bare: { tick: () => {} },
    }
    const { drive } = await openCompetition({ store, models, timeoutMs: 50 })
    await drive(candle(0))
    const rows = store.dump().predictions.map((row) => [row.modelId, row.status, row.reason, row.blame])
    expect(rows).toEqual([
      ['bare', 'FAILED', 'bad_implementation', 'model'],
      ['broken', 'FAILED', 'model_error', 'model'],
      ['empty', 'FAILED', 'invalid_output', 'model'],
      ['gone', 'ABSENT', 'not_running', 'model'],
      ['good', 'PENDING', null, null],
      ['hanging', 'ABSENT', 'timeout', 'model'],
      ['wrong', 'FAILED', 'invalid_output', 'model'],
    ])
    expect(store.dump().rounds).toMatchObject([{ status: 'RECEIVED', performedAt: minute(1), missedBefore: 0 }])
  })

  test('reports accepted answers, and the problems of others, to the runner', async () => {
    const { runner, drive } = await openCompetition({
      models: { good: steady(0.5), hanging: { predict: () => never }, wrong: steady(5) },
      timeoutMs: 50,
    })
    await drive(candle(0))
    expect(runner.judgements).toEqual([
      { modelId: 'good', method: 'predict', problem: null },
      { modelId: 'wrong', method: 'predict', problem: expect.stringContaining('value: Too big') },
    ])
  })

  test('does not blame models while the orchestrator is unreachable', async () => {
    const { store, runner, drive } = await openCompetition()
    await drive(candle(0))
    runner.connect({})
    runner.setReachable(false)
    await drive(candle(1))
    expect(store.dump().predictions.slice(2)).toMatchObject([
      { modelId: 'a', status: 'ABSENT', reason: 'orchestrator_unreachable', blame: 'coordinator' },
      { modelId: 'b', status: 'ABSENT', reason: 'orchestrator_unreachable', blame: 'coordinator' },
    ])
  })

  test('does not blame exactly those models that a restarted orchestrator has not announced again', async () => {
    const { store, runner, drive } = await openCompetition()
    await drive(candle(0))
    runner.connect({})
    runner.setRestarting(['a'])
    await drive(candle(1))
    expect(store.dump().predictions.slice(2)).toMatchObject([
      { modelId: 'a', status: 'ABSENT', reason: 'orchestrator_restarted', blame: 'coordinator' },
      { modelId: 'b', status: 'ABSENT', reason: 'not_running', blame: 'model' },
    ])
  })

  test('sends models the records of the window known at its instant, oldest first', async () => {
    const heard: unknown[] = []
    const model: TestModel = { ...steady(0), tick: (input) => heard.push(input) }
    const { store, drive } = await openCompetition({ models: { model }, changes: { input: { window: '2m' } } })
    await drive(candle(0, { close: 1 }), candle(1, { close: 2 }), candle(2, { close: 3 }))
    const inputs = [[1], [1, 2], [2, 3]].map((closes) => ({ subject: 'BTCUSDT', closes }))
    expect(heard).toEqual(inputs)
    expect(store.dump().rounds.map((round) => round.input)).toEqual(inputs)
  })

  test('requests predictions for the subject, horizon and step of its schedule', async () => {
    const asked: unknown[] = []
    const predict = (...args: unknown[]) => {
      asked.push(args)
      return { value: 0 }
    }
    await (await openCompetition({ models: { model: { predict } } })).drive(candle(0))
    expect(asked).toEqual([['BTCUSDT', 300, 60]])
  })

  test('opens once per grid cell; other records only tick', async () => {
    let tickCount = 0
    const model: TestModel = { ...steady(0), tick: () => { tickCount += 1 } } // biome-ignore format: one thing
    const schedule = [{ subject: 'BTCUSDT', every: '5m', horizon: '5m' }]
    const { store, drive } = await openCompetition({ models: { model }, changes: { prediction: { schedule } } })
    await drive(...candles(0, 11))
    expect(openedAt(store.dump().rounds)).toEqual([1, 5, 10])
    expect(tickCount).toBe(12)
  })

  test('opens on its own series only; models still get the records of other series', async () => {
    const subjects: string[] = []
    const model: TestModel = { ...steady(0), tick: ({ subject }) => subjects.push(subject) }
    const { store, drive } = await openCompetition({ models: { model } })
    await drive(candle(0, { close: 7 }, eth), candle(0))
    expect(subjects).toEqual(['ETHUSDT', 'BTCUSDT'])
    expect(openedAt(store.dump().rounds)).toEqual([1])
  })
})

describe('no round is opened', () => {
  test('by a known or late record, which models do not get either', async () => {
    let tickCount = 0
    const model: TestModel = { ...steady(0), tick: () => { tickCount += 1 } } // biome-ignore format: one thing
    const { store, drive } = await openCompetition({ models: { model } })
    await drive(candle(0), candle(3), candle(3), candle(1), candle(3, { close: 9 }))
    expect(openedAt(store.dump().rounds)).toEqual([1, 4])
    expect(tickCount).toBe(2)
  })

  test('by a record that the contract refuses', async () => {
    const { store, drive } = await openCompetition()
    await drive(candle(0, { close: 'high' }), candle(0, { close: 1 }, { ...eth, subject: 'SOLUSDT' }))
    expect(store.dump().rounds).toEqual([])
  })

  test('later than one granularity after its instant, although models still get a fresh record', async () => {
    let tickCount = 0
    const model: TestModel = { ...steady(0), tick: () => { tickCount += 1 } } // biome-ignore format: one line
    const { store, clock, pipeline } = await openCompetition({ models: { model } })
    clock.advanceTo(minute(4) - 1)
    const backlog = [candle(-1), candle(0), candle(1), candle(2)]
    const opened = []
    for (const record of backlog) opened.push(openedAt((await pipeline.accept([record])).rounds))
    // Known at minutes 0 and 1 (stale), 2 (missed) and 3.
    expect(opened).toEqual([[], [], [], [3]])
    expect(tickCount).toBe(2)
    expect(openedAt(store.dump().rounds)).toEqual([3])
  })

  test('when its truth may already be known, even with a coarse feed', async () => {
    const schedule = [{ subject: 'BTCUSDT', every: '1m', horizon: '1m' }]
    const { clock, pipeline } = await openCompetition({ changes: { prediction: { schedule } } })
    clock.advanceTo(minute(2) + 1)
    expect((await pipeline.accept([candle(0)])).rounds).toEqual([])
  })

  test('before the first model joins, and such rounds do not count as missed', async () => {
    const { store, runner, drive } = await openCompetition({ models: {} })
    await drive(...candles(0, 9))
    expect(store.dump().rounds).toEqual([])
    runner.connect({ a: steady(0) })
    await drive(...candles(10, 10))
    expect(await store.roundCounts()).toMatchObject({ openedCount: 1, missedCount: 0 })
  })

  test('when the contract cannot build the input; it is logged and counts as missed', async () => {
    const build = ({ records }: { records: { values: { close: number } }[] }) => {
      const closes = records.map((record) => record.values.close)
      if (closes.at(-1) === 13) throw new Error('unlucky')
      return { subject: closes.at(-1) === 14 ? 14 : 'BTCUSDT', closes }
    }
    const { store, lines, drive } = await openCompetition({ changes: { input: { build } } })
    await drive(...[12, 13, 14, 15].map((close, count) => candle(count, { close })))
    expect(openedAt(store.dump().rounds)).toEqual([1, 4])
    expect(lines.map(({ level, fields }) => [level, fields.stage])).toEqual(Array(2).fill(['error', 'input']))
    expect(lines[0]?.fields.reason).toMatch(/^input\.build failed at src\/predictor\.test\.ts:\d+: unlucky$/)
    expect(await store.roundCounts()).toMatchObject({ missedCount: 2 })
  })
})

describe('a series with a gate', () => {
  const gated = (gate: object) => ({ feed: { ...market, gate } })
  const priced = (from: number, closes: readonly number[], scope = btc) =>
    closes.map((close, index) => candle(from + index, { close }, scope))

  test('opens no round while frozen, although models get its records, and counts missed rounds', async () => {
    let tickCount = 0
    const model: TestModel = { ...steady(0), tick: () => { tickCount += 1 } } // biome-ignore format: one line
    const { store, drive } = await openCompetition({ changes: gated({ frozenAfter: 3 }), models: { model } })
    await drive(...priced(0, [1, 2, 7, 7, 7, 7, 8, 9]))
    expect(openedAt(store.dump().rounds)).toEqual([1, 2, 3, 4, 7, 8])
    expect(tickCount).toBe(8)
    expect(await store.roundCounts()).toMatchObject({ missedCount: 2 })
  })

  test('opens no round after a jump until three records without a jump', async () => {
    const { store, drive } = await openCompetition({ changes: gated({ maxJump: 0.5 }) })
    await drive(...priced(0, [100, 101, 300, 301, 302, 303, 304]))
    expect(openedAt(store.dump().rounds)).toEqual([1, 2, 6, 7])
  })

  test('opens no clock round either', async () => {
    const schedule = [{ subject: 'BTCUSDT', every: '1m', horizon: '4m', on: 'clock' }]
    const changes = { ...gated({ maxJump: 0.5 }), prediction: { schedule } }
    const { store, drive } = await openCompetition({ changes })
    await drive(...priced(0, [100, 101, 300, 301, 302, 303, 304]))
    expect(openedAt(store.dump().rounds)).toEqual([1, 2, 6, 7])
  })

  test('is compared with the other series at the same instant, in any order of arrival', async () => {
    const changes = gated({ agree: { with: 'ETHUSDT', within: 0.01 } })
    const { store, clock, pipeline, clockRounds } = await openCompetition({ changes })
    const prices = [100, 200, 50, 100, 100]
    const others = [100, 200, 50, 102, 100]
    for (let count = 0; count < prices.length; count += 1) {
      const own = priced(count, [prices[count] as number])
      const other = priced(count, [others[count] as number], eth)
      await driveBatch(pipeline, clockRounds, clock, count % 2 === 0 ? [...own, ...other] : [...other, ...own])
    }
    expect(openedAt(store.dump().rounds)).toEqual([1, 2, 3, 5])
  })

  test('opens no round while the other series is silent', async () => {
    const { store, drive } = await openCompetition({ changes: gated({ agree: { with: 'ETHUSDT', within: 0.01 } }) })
    await drive(...priced(0, [100]), ...priced(0, [100], eth), ...priced(1, [100, 100, 100]), ...priced(4, [100], eth))
    await drive(...priced(4, [100]))
    // Before the first record of the other series, and from two granularities after it on.
    expect(openedAt(store.dump().rounds)).toEqual([2, 5])
  })

  test('is still frozen after a restart', async () => {
    const { store, drive, restart } = await openCompetition({ changes: gated({ frozenAfter: 14 }) })
    // More records than the input window contains.
    await drive(
      ...priced(
        0,
        Array.from({ length: 13 }, () => 7),
      ),
    )
    const next = await restart()
    await next.drive(...priced(13, [7, 7, 8]))
    expect(openedAt(store.dump().rounds).slice(-2)).toEqual([13, 16])
  })
})

describe('rounds that this node missed', () => {
  test('are counted with the next one and never opened later', async () => {
    const { store, drive, restart } = await openCompetition()
    await drive(...candles(0, 4))
    const { drive: driveAgain } = await restart()
    // Records that arrived while the node was down are stored but open no rounds.
    await store.appendRecords(candles(5, 8))
    await driveAgain(...candles(5, 10))
    const { rounds } = store.dump()
    expect(openedAt(rounds)).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11])
    await driveAgain(...candles(20, 21))
    expect(openedAt(store.dump().rounds).slice(11)).toEqual([21, 22])
    const missed = store.dump().rounds.map((round) => round.missedBefore)
    expect(missed.slice(10)).toEqual([0, 9, 0])
    expect(await store.roundCounts()).toMatchObject({ openedCount: 13, missedCount: 9 })
  })
})

describe('a restart', () => {
  test('completes rounds left open by a crash, blames the coordinator, and logs a warning', async () => {
    const { store, drive } = await openCompetition({ models: { a: steady(1), b: { predict: () => never } }, timeoutMs: 60_000 }) // biome-ignore format: one line
    void drive(candle(0))
    await vi.waitFor(async () => expect(await store.unansweredRounds()).toHaveLength(1))
    const next = await openCompetition({ store, models: { a: steady(1) } })
    expect(store.dump().predictions.map((row) => [row.modelId, row.status, row.reason, row.blame])).toEqual([
      ['a', 'ABSENT', 'coordinator_restarted', 'coordinator'],
      ['b', 'ABSENT', 'coordinator_restarted', 'coordinator'],
    ])
    expect(next.lines).toMatchObject([
      { level: 'warn', message: 'a restart left a round without answers', fields: { stage: 'prediction' } },
    ])
    await next.drive(...candles(1, 6))
    await next.pipeline.settle()
    expect(store.dump().scores.filter((score) => score.roundId === store.dump().rounds[0]?.id)).toEqual([])
    expect(store.dump().rounds[0]).toMatchObject({ status: 'RESOLVED', voidReason: null })
  })

  test('loads the recent records and the last rounds', async () => {
    const { store, drive, restart } = await openCompetition({ models: { trend: createTrend(1) } })
    await drive(...candles(0, 9))
    const next = await restart({ trend: createTrend(1) })
    await next.drive(candles(9, 9)[0] as never, ...candles(10, 10))
    const { rounds } = store.dump()
    expect(openedAt(rounds)).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11])
    expect(rounds.at(-1)?.input.closes).toHaveLength(10)
  })

  test('drops its own answers of a round that another process opened first', async () => {
    const store = createMemoryStore()
    const [first, second] = [
      await openCompetition({ store }),
      await openCompetition({ store, models: { a: steady(1) } }),
    ]
    await first.drive(candle(0))
    expect(await second.pipeline.accept([candle(0)])).toMatchObject({ predictionCount: 0 })
    expect(store.dump().predictions.map(({ modelId, output }) => [modelId, output])).toEqual([
      ['a', { value: 0.5 }],
      ['b', { value: -0.5 }],
    ])
  })
})

describe('a model that joins later', () => {
  test('has rows from its registration on, even after it disconnects', async () => {
    const { store, runner, drive } = await openCompetition({ models: { a: steady(0.1) } })
    await drive(...candles(0, 1))
    runner.connect({ a: steady(0.1), late: steady(0.2) })
    await drive(...candles(2, 3))
    runner.connect({ a: steady(0.1) })
    await drive(...candles(4, 4))
    const late = store.dump().predictions.filter((row) => row.modelId === 'late')
    expect(late.map((row) => [(row.performedAt - minute(0)) / 60_000, row.status, row.reason])).toEqual([
      [3, 'PENDING', null],
      [4, 'PENDING', null],
      [5, 'ABSENT', 'not_running'],
    ])
    expect(store.dump().models.map((row) => row.registeredAt)).toEqual([minute(1), minute(3)])
  })
})

describe('a round that still waits for answers', () => {
  test('has no row for a model that registers with a later round', async () => {
    let release = (_answer: unknown) => {}
    const slow: TestModel = { predict: () => new Promise((resolve) => { release = resolve }) } // biome-ignore format: one thing
    const { store, runner, drive } = await openCompetition({ models: { slow }, timeoutMs: 60_000 })
    const waiting = drive(candle(0))
    await vi.waitFor(async () => expect(await store.unansweredRounds()).toHaveLength(1))
    runner.connect({ late: steady(0.5) })
    await drive(candle(1))
    release({ value: 1 })
    await waiting
    expect(store.dump().predictions.map((row) => [row.performedAt, row.modelId, row.status])).toEqual([
      [minute(1), 'slow', 'PENDING'],
      [minute(2), 'late', 'PENDING'],
      [minute(2), 'slow', 'ABSENT'],
    ])
  })
})

test('a call that the contract cannot make opens no round, and is logged', async () => {
  const call = {
    arguments: () => {
      throw new Error('no such market')
    },
  }
  const { store, lines, drive } = await openCompetition({ changes: { prediction: { call } } })
  await drive(candle(0))
  expect(store.dump().rounds).toEqual([])
  expect(lines).toMatchObject([
    {
      level: 'error',
      fields: {
        stage: 'prediction',
        reason: expect.stringMatching(/^prediction\.call\.arguments failed at .*: no such market$/),
      },
    },
  ])
})

describe("schedules on: 'clock'", () => {
  const schedule = [{ subject: 'BTCUSDT', every: '2m', horizon: '4m', on: 'clock' }]
  const changes = { prediction: { schedule } }

  test('open rounds at the instants of their grid, with the records known then', async () => {
    let tickCount = 0
    const model: TestModel = { ...steady(0.5), tick: () => { tickCount += 1 } } // biome-ignore format: one line
    const { store, drive } = await openCompetition({ changes, models: { model } })
    await drive(...candles(0, 6))
    const { rounds } = store.dump()
    // A round without a new record does not tick: models get each record once.
    expect(tickCount).toBe(7)
    expect(openedAt(rounds)).toEqual([2, 4, 6])
    expect(rounds.map((round) => (round.input.closes as number[]).length)).toEqual([2, 4, 6])
  })

  test('also open rounds between records, while the feed is fresh', async () => {
    const { store, drive } = await openCompetition({ changes })
    // The record known at minute 1 is fresh at minute 2, but not at minute 4.
    await drive(candle(0), candle(7), candle(8))
    expect(openedAt(store.dump().rounds)).toEqual([2, 8])
    expect(await store.roundCounts()).toMatchObject({ missedCount: 2 })
  })

  test('open no round at the instant at which the feed has been silent for two granularities', async () => {
    const schedule = [{ subject: 'BTCUSDT', every: '1m', horizon: '4m', on: 'clock' }]
    const { store, drive } = await openCompetition({ changes: { prediction: { schedule } } })
    await drive(candle(0), candle(9))
    expect(openedAt(store.dump().rounds)).toEqual([1, 2, 10])
  })

  test('open rounds one after the other', async () => {
    const { clockRounds } = await openCompetition({ changes })
    expect([minute(0), minute(0) + 1, minute(2)].map(clockRounds.nextClockInstant)).toEqual([
      ...[minute(2), minute(2), minute(4)],
    ])
    expect((await openCompetition()).clockRounds.nextClockInstant(minute(0))).toBeNull()
  })
})
