import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { candles, createTrend, openCompetition, steady, type TestModel } from '../../test/competition.ts'
import { type ContractChanges, changedContract, market } from '../../test/sample-contract.ts'
import { sourceOf } from '../../test/source-of-records.ts'
import type { FeedRecord } from '../domain/feed-record.ts'
import { candle, eth, minute, model } from '../ports/store-samples.ts'
import { simulate } from './simulate.ts'

const trendModels = (): Record<string, TestModel> => ({
  long: steady(0.5),
  short: steady(-0.5),
  trend: createTrend(0.8),
  contrarian: createTrend(-0.2),
})

function run(records: readonly FeedRecord[], models = trendModels(), changes: ContractChanges = {}) {
  const named = Object.entries(models).map(([id, object]) => ({ identity: model(id), model: object }))
  return simulate({ contract: changedContract(changes), source: sourceOf(records), models: named })
}

/** Two subjects with a gap that makes rounds void. */
const recording = [...candles(0, 95), ...candles(180, 260), ...candles(0, 260, eth)]

describe('a simulation', () => {
  test('has the same digest for the same recording, regardless of response times', async () => {
    const slow = Object.fromEntries(
      Object.entries(trendModels()).map(([id, own]): [string, TestModel] => [
        id,
        { ...own, predict: async (...question) => await own.predict?.(...question) },
      ]),
    )
    const [first, again, slower] = [await run(recording), await run(recording), await run(recording, slow)]
    expect(first.digest).toMatch(/^[0-9a-f]{64}$/)
    expect(again.digest).toBe(first.digest)
    expect(slower.digest).toBe(first.digest)
    expect(first.counts).toMatchObject({ records: recording.length, rounds: 177, voidRounds: 4 })
    expect(first.counts.predictions).toBe(4 * 177)
  })

  test('has another digest for another price, another answer or another contract', async () => {
    const { digest } = await run(recording)
    const changed = recording.map((record, index) => (index === 50 ? { ...record, values: { close: 101 } } : record))
    expect((await run(changed)).digest).not.toBe(digest)
    expect((await run(recording, { ...trendModels(), long: steady(0.51) })).digest).not.toBe(digest)
    expect((await run(recording, trendModels(), { snapshot: { every: '5m' } })).digest).not.toBe(digest)
  })

  test('runs every given model, whatever its deployment id', async () => {
    const models = Object.entries(trendModels()).map(([id, object]) => ({
      identity: model(id, { deploymentId: 'simulation' }),
      model: object,
    }))
    const contract = changedContract({})
    const { leaderboard, digest } = await simulate({ contract, source: sourceOf(recording), models })
    expect(leaderboard?.entries.map(({ modelId }) => modelId).sort()).toEqual(['contrarian', 'long', 'short', 'trend'])
    expect(digest).toBe((await run(recording)).digest)
  })

  test('does not depend on the order of the models', async () => {
    const turned = Object.fromEntries(Object.entries(trendModels()).reverse())
    expect((await run(recording, turned)).digest).toBe((await run(recording)).digest)
  })

  test('returns the newest leaderboard, all checkpoints and every row', async () => {
    const { leaderboard, checkpoints, counts, rows } = await run(recording)
    expect(leaderboard).toBe(rows.leaderboards.at(-1))
    expect(leaderboard?.entries).toHaveLength(4)
    expect(checkpoints.map(({ periodEnd }) => (periodEnd - minute(0)) / 60_000)).toEqual([30, 60, 90, 120, 210, 240])
    expect(counts).toMatchObject({ scores: rows.scores.length, snapshots: rows.snapshots.length })
  })

  test('counts rows that repeat or contradict an earlier one without applying them', async () => {
    const [first, second] = recording.slice(50, 52)
    if (first === undefined || second === undefined) throw new Error('the recording is too short')
    const contradiction = { ...second, values: { close: 999 } }
    const messy = [...recording.slice(0, 52), first, contradiction, contradiction, ...recording.slice(52)]
    const { digest, counts } = await run(messy)
    expect(counts).toMatchObject({ records: recording.length + 3, repeatedRecords: 2, revisedRecords: 1 })
    expect(digest).toBe((await run(recording)).digest)
  })

  test('of an empty recording has no results', async () => {
    const { leaderboard, checkpoints, counts } = await run([])
    expect([leaderboard, checkpoints]).toEqual([null, []])
    expect(counts).toEqual({
      records: 0,
      missingRecords: 0,
      repeatedRecords: 0,
      revisedRecords: 0,
      rounds: 0,
      voidRounds: 0,
      predictions: 0,
      scores: 0,
      snapshots: 0,
    })
  })

  test('reports its progress, and ends when aborted', async () => {
    const abort = new AbortController()
    const seen: number[] = []
    const { counts } = await simulate({
      contract: changedContract({}),
      source: sourceOf(recording),
      models: [],
      signal: abort.signal,
      onProgress: ({ recordCount, at }) => {
        seen.push((at - minute(0)) / 60_000)
        if (recordCount > 100) abort.abort()
      },
    })
    expect(seen).toEqual([1, 10, 20, 30, 40, 50, 60])
    expect(counts.records).toBe(120)
  })

  test('opens clock rounds at every grid instant, including those of records', async () => {
    const schedule = [{ subject: 'BTCUSDT', every: '5m', horizon: '5m', on: 'clock' }]
    const { rows } = await run(candles(0, 29), { long: steady(1) }, { prediction: { schedule } })
    expect(rows.rounds.map((round) => (round.performedAt - minute(0)) / 60_000)).toEqual([5, 10, 15, 20, 25, 30])
    expect(rows.rounds.map((round) => (round.input.closes as number[]).length)).toEqual([5, 10, 10, 10, 10, 10])
  })
})

describe('cadence', () => {
  type Cadence = 'after every record' | 'once at the end' | readonly boolean[]

  /** The results without computation times. */
  async function results(records: readonly FeedRecord[], cadence: Cadence, changes: ContractChanges = {}) {
    const { store, drive, pipeline } = await openCompetition({ models: trendModels(), changes })
    const settle = async () => {
      await pipeline.settle()
      await pipeline.checkpoint()
    }
    for (const [index, record] of records.entries()) {
      await drive(record)
      if (cadence === 'after every record' || (typeof cadence !== 'string' && cadence[index % cadence.length]))
        await settle()
    }
    await settle()
    const { rounds, predictions, scores, snapshots, leaderboards, checkpoints } = store.dump()
    return {
      rounds: rounds.map(({ answeredAt: _, ...round }) => round),
      predictions: predictions.map(({ durationMs: _, ...row }) => row),
      scores: scores.map(({ scoredAt: _, ...score }) => score),
      snapshots,
      leaderboards,
      checkpoints: checkpoints.map(({ createdAt: _, ...checkpoint }) => checkpoint),
    }
  }

  test('changes no result: settled after every record, or once at the end', async () => {
    const records = [...candles(0, 70), ...candles(160, 200)]
    const often = await results(records, 'after every record')
    expect(often.leaderboards.length).toBeGreaterThan(5)
    expect(often.rounds.some((round) => round.voidReason !== null)).toBe(true)
    expect(await results(records, 'once at the end')).toEqual(often)
    const { rows } = await run(records)
    expect(often.snapshots).toEqual(rows.snapshots)
    expect(often.leaderboards).toEqual(rows.leaderboards)
  })

  test('changes no result of recordings with random gaps', async () => {
    const gaps = fc.array(fc.oneof({ weight: 9, arbitrary: fc.constant(1) }, fc.constantFrom(2, 4, 9, 75)), {
      minLength: 5,
      maxLength: 40,
    })
    const cadences = fc.array(fc.boolean(), { minLength: 1, maxLength: 7 })
    await fc.assert(
      fc.asyncProperty(gaps, cadences, async (steps, cadence) => {
        let at = 0
        const records = steps.map((step) => {
          at += step
          return candle(at, { close: 100 + ((at * 7) % 13) })
        })
        expect(await results(records, cadence)).toEqual(await results(records, 'after every record'))
      }),
      { numRuns: 30 },
    )
  })

  test('changes no result of gated series that stop, freeze, jump or disagree', async () => {
    const gate = { frozenAfter: 3, maxJump: 0.2, agree: { with: 'ETHUSDT', within: 0.03 } }
    const changes = { feed: { ...market, gate }, truth: { expire: '10m' } }
    const price = fc.constantFrom(100, 100, 101, 102, 150)
    const moments = fc.array(
      fc.record({ step: fc.constantFrom(1, 1, 1, 1, 2, 4, 12), own: fc.option(price), other: fc.option(price) }),
      { minLength: 10, maxLength: 60 },
    )
    const cadences = fc.array(fc.boolean(), { minLength: 1, maxLength: 7 })
    let voidCount = 0
    await fc.assert(
      fc.asyncProperty(moments, cadences, async (list, cadence) => {
        let at = 0
        const records = list.flatMap(({ step, own, other }) => {
          at += step
          return [
            ...(own === null ? [] : [candle(at, { close: own })]),
            ...(other === null ? [] : [candle(at, { close: other }, eth)]),
          ]
        })
        const often = await results(records, 'after every record', changes)
        expect(await results(records, cadence, changes)).toEqual(often)
        voidCount += often.rounds.filter((round) => round.voidReason?.includes('not trusted')).length
      }),
      { numRuns: 40 },
    )
    expect(voidCount).toBeGreaterThan(0)
  })
})

describe('the failure of a simulation', () => {
  const refuse = () => {
    throw new Error('no such field')
  }
  const place = /at simulation\/simulate\.test\.ts:\d+/
  const models = () => ({ long: steady(0.5), short: steady(-0.5) })

  test('is null when something was scored', async () => {
    const { refusals, failure } = await run(candles(0, 60), models())
    expect({ refusals, failure }).toEqual({ refusals: [], failure: null })
  })

  test.each<[string, ContractChanges, RegExp]>([
    [
      'input.build throws',
      { input: { build: refuse } },
      /since no round opened: input\.build failed at .*no such field/,
    ],
    [
      'input.build returns what the schema refuses',
      { input: { build: ({ subject }: { subject: string }) => ({ subject, closes: [undefined] }) } },
      /since no round opened: input\.build at .* returned what input\.schema refuses: closes\.0: /,
    ],
  ])('names the cause when %s', async (_, changes, text) => {
    const { refusals, failure } = await run(candles(0, 20), models(), changes)
    expect(failure).toMatch(text)
    expect(failure).toMatch(place)
    expect(refusals).toEqual([{ what: 'inputs', count: 21, of: null, reason: expect.stringMatching(place) }])
  })

  test.each<[string, unknown]>([
    ['throws', refuse],
    ['gives NaN', ({ output }: { output: { value: number } }) => ({ value: output.value * Number.NaN, hit: true })],
  ])('names the cause when score.compute %s', async (_, compute) => {
    const { refusals, failure } = await run(candles(0, 20), models(), { score: { compute } })
    expect(failure).toMatch(/^nothing was scored: score\.compute /)
    expect(failure).toMatch(place)
    expect(refusals).toEqual([{ what: 'scores', count: 32, of: 32, reason: expect.stringMatching(place) }])
  })

  test('names the exception of truth.resolve, even while the rounds still wait for a truth', async () => {
    const waiting = await run(candles(0, 20), models(), { truth: { resolve: refuse } })
    expect(waiting.failure).toMatch(/^nothing was scored: truth\.resolve failed at .*no such field$/)
    const given = await run(candles(0, 200), models(), { truth: { resolve: refuse } })
    expect(given.refusals[0]).toMatchObject({
      what: 'truths',
      of: given.counts.rounds,
      reason: expect.stringMatching(place),
    })
  })

  test('is null when only some answers make the scorer throw; those are counted', async () => {
    const compute = ({ output }: { output: { value: number } }) => {
      if (output.value < 0) throw new Error('negative')
      return { value: output.value, hit: true }
    }
    const { refusals, failure } = await run(candles(0, 20), models(), { score: { compute } })
    expect(failure).toBeNull()
    expect(refusals).toMatchObject([{ what: 'scores', count: 16, of: 32 }])
  })

  test('names the fault of the first model when every model fails', async () => {
    const { failure } = await run(candles(0, 20), { broken: { predict: refuse } })
    expect(failure).toMatch(/^nothing was predicted: model broken: model_error: .*no such field/)
  })

  test('says that the recording is too short or empty, or that there are no models', async () => {
    expect((await run(candles(0, 2), models())).failure).toMatch(/the recording ends before the horizon/)
    expect((await run([], models())).failure).toMatch(/nothing was predicted/)
    expect((await run(candles(0, 20), {})).failure).toBe('nothing was predicted: no model takes part')
  })
})
