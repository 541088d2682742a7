import { describe, expect, test } from 'vitest'
import { type ContractChanges, market, resolvedContract } from '../../../test/sample-contract.ts'
import type { FeedRecord } from '../../domain/feed-record.ts'
import type { Prediction } from '../../domain/prediction.ts'
import { candle, eth, minute, prediction, round } from '../../ports/store-samples.ts'
import type { DueRound, RoundEvidence } from '../../ports/store-settlement.ts'
import { settleRound } from './settle-round.ts'

// The sample round opens at minute 0 on a close of 100, ends at minute 5 on a close of 110, and is void from minute 6 on.
const sample = round(0)
const entry = candle(-1, { close: 100 })
const exit = candle(4, { close: 110 })

const answer = (modelId: string, value: number) => prediction(sample, modelId, { output: { value } })
const missing = (modelId: string, blame: 'model' | 'coordinator', status: 'ABSENT' | 'FAILED' = 'ABSENT'): Prediction =>
  prediction(sample, modelId, { status, blame, output: null, reason: 'timeout', detail: 'too late' })

function settle(due: Partial<DueRound> = {}, changes: ContractChanges = {}, now = minute(5)) {
  const whole = { round: sample, predictions: [answer('a', 0.5)], entry, exit, records: [], evidence: null, ...due }
  return settleRound(resolvedContract(changes), whole, now)
}

function resolved(due: Partial<DueRound> = {}, changes: ContractChanges = {}) {
  const settlement = settle(due, changes)
  if (settlement.kind !== 'resolved') throw new Error(`the round was not resolved: ${JSON.stringify(settlement)}`)
  return settlement
}

/** Expects a round to wait until it expires, and then to be void with a reason. */
function expectVoid(due: Partial<DueRound>, changes: ContractChanges, reason: string): void {
  expect(settle(due, changes, minute(6) - 1)).toMatchObject({ kind: 'wait' })
  const settlement = settle(due, changes, minute(6))
  if (settlement.kind !== 'void') throw new Error(`the round is not void: ${JSON.stringify(settlement)}`)
  expect(settlement.reason).toContain(reason)
  const failed = { to: 'FAILED', reason: 'truth_unavailable', blame: 'coordinator', detail: settlement.reason }
  expect(settlement.moves).toEqual([{ predictionId: `PRE_a_${sample.id}`, ...failed }])
}

const scoresOf = (due: Partial<DueRound>, changes: ContractChanges = {}) =>
  resolved(due, changes).scores.map(({ modelId, kind, value }) => [modelId, kind, value?.value ?? null])

describe('a round whose truth is known', () => {
  test('is resolved with the truth, one score per answer, and no pending answers', () => {
    const { actuals, scores, moves } = resolved({ predictions: [answer('a', 0.5), answer('b', -1)] })
    expect(actuals).toEqual({ return: 110 / 100 - 1 })
    expect(scores.map(({ value }) => value?.hit)).toEqual([true, false])
    expect(scores[0]?.value?.value).toBeCloseTo(500, 9)
    expect(scores[0]).toMatchObject({
      id: `SCR_PRE_a_${sample.id}`,
      predictionId: `PRE_a_${sample.id}`,
      roundId: sample.id,
      modelId: 'a',
      kind: 'valid',
      reason: null,
      signal: 0.5,
      actual: 110 / 100 - 1,
      resolvableAt: minute(5),
      scoredAt: minute(5),
    })
    expect(moves).toEqual(
      ['a', 'b'].map((id) => ({
        predictionId: `PRE_${id}_${sample.id}`,
        to: 'SCORED',
        reason: null,
        blame: null,
        detail: null,
      })),
    )
  })

  test('calls truth.resolve once, with the question and the records in between', () => {
    const asked: unknown[] = []
    const resolve = (context: { round: unknown; records: unknown[] }) => {
      asked.push([context.round, context.records.length])
      return { return: 0 }
    }
    resolved({ predictions: [answer('a', 1), answer('b', 1)], records: [exit] }, { truth: { resolve } })
    const question = { scheduleKey: 'BTCUSDT-5m', subject: 'BTCUSDT', horizonMs: 300_000, stepMs: 60_000 }
    expect(asked).toEqual([[{ ...question, performedAt: minute(0), resolvableAt: minute(5) }, 1]])
  })

  test('scores values parsed by the schemas of truth and score', () => {
    const changes = { score: { compute: () => ({ value: 1, hit: true, extra: 'dropped' }) } }
    expect(resolved({}, changes).scores[0]?.value).toEqual({ value: 1, hit: true })
  })

  test('has no signal or actual if the contract gives none, or one that is not a number', () => {
    const none = { snapshot: { signal: undefined, actual: undefined } }
    expect(resolved({}, none).scores[0]).toMatchObject({ kind: 'valid', signal: null, actual: null })
    const odd = { snapshot: { signal: () => Number.NaN, actual: () => 'up' } }
    expect(resolved({}, odd).scores[0]).toMatchObject({ kind: 'valid', signal: null, actual: null })
  })

  test('passes the same output to signal and the same truth to actual as to compute, with sorted keys', () => {
    const seen: { output?: object; truth?: object }[] = []
    const note = (context: { output?: object; truth?: object }) => {
      seen.push(context)
      return 1
    }
    resolved(
      { predictions: [prediction(sample, 'a', { output: { value: 0.5, extra: { z: 1, a: 2 } } })] },
      {
        score: { compute: (context: object) => ({ value: note(context), hit: true }) },
        snapshot: { signal: note, actual: note },
      },
    )
    const [computed, signalled, actual] = seen
    expect(JSON.stringify(signalled?.output)).toBe('{"extra":{"a":2,"z":1},"value":0.5}')
    expect(signalled?.output).toBe(computed?.output)
    expect(actual?.truth).toBe(computed?.truth)
  })

  test('is resolved even without answers', () => {
    expect(resolved({ predictions: [] })).toMatchObject({ scores: [], moves: [] })
  })
})

describe('a single unscorable answer', () => {
  test.each([
    ['throws', () => { throw new Error('divided by zero') }, 'divided by zero'], // biome-ignore format: a table
    ['throws no error', () => { throw 'plain text' }, 'plain text'], // biome-ignore format: a table
    ['gives NaN', () => ({ value: Number.NaN, hit: true }), 'expected number, received NaN'],
    ['gives an infinity', () => ({ value: Number.POSITIVE_INFINITY, hit: true }), 'expected number'],
    ['breaks the schema', () => ({ value: 1 }), 'expected boolean'],
    ['gives nothing', () => undefined, 'expected object'],
  ])('is scored as a missing one, without affecting others, when the scorer %s', (_, fault, reason) => {
    const compute = (context: { output: { value: number } }) =>
      context.output.value === 1 ? fault() : { value: context.output.value, hit: true }
    const { scores, moves } = resolved({ predictions: [answer('a', 1), answer('b', 0.5)] }, { score: { compute } })
    // Scored like a missing answer; otherwise a model could skip a round this way.
    expect(scores[0]).toMatchObject({ kind: 'imputed', value: { value: 0.5, hit: true }, signal: null, actual: null })
    expect(scores[0]?.reason).toContain(reason)
    expect(scores[1]).toMatchObject({ kind: 'valid', value: { value: 0.5, hit: true }, reason: null })
    expect(moves.map(({ to }) => to)).toEqual(['SCORED', 'SCORED'])
  })

  test('has no score if the policy for missing answers gives none or fails', () => {
    const compute = ({ output }: { output: { value: number } }) => (output.value === 1 ? null : { value: 2, hit: true })
    const failing = () => {
      throw new Error('no policy')
    }
    for (const policy of ['exclude', () => null, failing] as const) {
      const changes = { score: { compute }, prediction: { missing: policy } }
      expect(scoresOf({ predictions: [answer('a', 1), answer('b', 0.5)] }, changes)).toEqual([
        ['a', 'failed', null],
        ['b', 'valid', 2],
      ])
    }
  })

  test('has no score if no answer of the round can be scored, regardless of the policy', () => {
    const changes = { score: { compute: () => null }, prediction: { missing: () => ({ value: -1, hit: false }) } }
    expect(scoresOf({ predictions: [answer('a', 1), answer('b', 0.5)] }, changes)).toEqual([
      ['a', 'failed', null],
      ['b', 'failed', null],
    ])
  })

  test('fails if the ranking value is not a number', () => {
    const { scores } = resolved({}, { leaderboard: { value: 'hit' } })
    expect(scores[0]).toMatchObject({
      kind: 'failed',
      reason: expect.stringMatching(
        /^score.compute at .*:\d+ returned what cannot be stored: score.hit is not a number$/,
      ),
    })
  })

  test('keeps its reason short', () => {
    const compute = () => {
      throw new Error('x'.repeat(5_000))
    }
    expect(resolved({}, { score: { compute } }).scores[0]?.reason).toHaveLength(2_000)
  })
})

describe('missing answers', () => {
  const predictions = [
    answer('a', 0.5),
    missing('absent', 'model'),
    answer('b', -0.2),
    missing('failed', 'model', 'FAILED'),
    missing('ours', 'coordinator'),
  ]
  const answered = [
    ['a', 'valid', expect.closeTo(500, 9)],
    ['b', 'valid', expect.closeTo(-200, 9)],
  ]

  test('get the worst valid score of the round: the lowest if higher is better', () => {
    expect(scoresOf({ predictions })).toEqual([
      ...answered,
      ['absent', 'imputed', expect.closeTo(-200, 9)],
      ['failed', 'imputed', expect.closeTo(-200, 9)],
    ])
  })

  test('get the highest score if lower is better', () => {
    const worst = scoresOf({ predictions }, { leaderboard: { direction: 'asc' } }).slice(2)
    expect(worst).toEqual([
      ['absent', 'imputed', expect.closeTo(500, 9)],
      ['failed', 'imputed', expect.closeTo(500, 9)],
    ])
  })

  test('get no score if no answer has a valid score', () => {
    expect(scoresOf({ predictions: [missing('absent', 'model')] })).toEqual([])
    const failing = { score: { compute: () => null } }
    expect(scoresOf({ predictions: [answer('a', 1), missing('absent', 'model')] }, failing)).toEqual([
      ['a', 'failed', null],
    ])
  })

  test('get no score under the policy exclude', () => {
    expect(scoresOf({ predictions }, { prediction: { missing: 'exclude' } })).toEqual(answered)
  })

  test('get the score that the function of the contract computes from the valid scores', () => {
    const policy = ({ scores }: { scores: { value: number }[] }) => ({ value: scores.length * -1_000, hit: false })
    expect(scoresOf({ predictions }, { prediction: { missing: policy } }).slice(2)).toEqual([
      ['absent', 'imputed', -2_000],
      ['failed', 'imputed', -2_000],
    ])
    expect(scoresOf({ predictions }, { prediction: { missing: () => null } })).toEqual(answered)
  })

  test('have a price in every round, even if all models answer, because retired models are ranked by it', () => {
    const priceOf = (missingPolicy: unknown, others: ContractChanges = {}) =>
      resolved(
        { predictions: [answer('a', 0.5), answer('b', -0.2)] },
        { ...others, prediction: { missing: missingPolicy } },
      ).missingValue
    expect(priceOf(undefined)).toBeCloseTo(-200, 9)
    expect(priceOf('worst', { leaderboard: { direction: 'asc' } })).toBeCloseTo(500, 9)
    expect(priceOf(() => ({ value: -7_000, hit: false }))).toBe(-7_000)
    for (const policy of ['exclude', () => null, () => ({ value: 'bad' })]) expect(priceOf(policy)).toBeNull()
  })

  test.each([
    ['throws', () => { throw new Error('no scores') }, /^prediction.missing failed at score\/settle-round.test.ts:\d+: no scores$/], // biome-ignore format: a table
    ['breaks the schema', () => ({ value: 'bad' }), /^prediction.missing returned what score.schema refuses: value: /],
  ])('fail with the reason when that function %s; valid answers are unaffected', (_, policy, reason) => {
    const { scores } = resolved({ predictions }, { prediction: { missing: policy } })
    expect(scores.map(({ modelId, kind }) => [modelId, kind])).toEqual([
      ['a', 'valid'],
      ['b', 'valid'],
      ['absent', 'failed'],
      ['failed', 'failed'],
    ])
    expect(scores[2]?.reason).toMatch(reason)
  })

  test('are never scored when the coordinator is to blame, and keep their status', () => {
    const ours = [missing('ours', 'coordinator'), missing('ours too', 'coordinator', 'FAILED')]
    const { scores, moves } = resolved({ predictions: [answer('a', 1), ...ours] })
    expect(scores.map(({ modelId }) => modelId)).toEqual(['a'])
    expect(moves.map(({ predictionId }) => predictionId)).toEqual([`PRE_a_${sample.id}`])
  })

  test('have neither signal nor actual, so that metrics ignore them', () => {
    expect(resolved({ predictions }).scores[2]).toMatchObject({ signal: null, actual: null, reason: null })
  })
})

describe('a round whose truth is unknown', () => {
  const stale = candle(2, { close: 110 }) // known at minute 3, two minutes before the horizon
  const throwing = {
    truth: {
      resolve: () => {
        throw new Error('no volume')
      },
    },
  }
  const causes: [string, Partial<DueRound>, ContractChanges, string][] = [
    ['had no entry', { entry: null }, {}, 'no value was known when the prediction was made'],
    ['had no exit', { exit: null }, {}, 'no value was known at the horizon'],
    ['had a stale exit', { exit: stale }, {}, 'the last value at the horizon was 120000 ms old; at most 60000 ms'],
    ['is not resolved by the contract', {}, { truth: { resolve: () => null } }, 'could not resolve the truth yet'],
    ['is resolved to nothing', {}, { truth: { resolve: () => undefined } }, 'could not resolve the truth yet'],
    ['makes the contract throw', {}, throwing, 'truth.resolve failed at score/settle-round.test.ts:'],
    [
      'breaks the schema of the truth',
      {},
      { truth: { resolve: () => ({ return: 'up' }) } },
      'truth.resolve returned what truth.schema refuses: return: Invalid input',
    ],
    ['has left the schedule', { round: { ...sample, scheduleKey: 'gone' } }, {}, 'no longer has the schedule "gone"'],
  ]

  test.each(causes)('waits if it %s, and is void when it expires', (_, due, changes, reason) => {
    expectVoid(due, changes, reason)
  })

  test('is left to the processes of its own era, even when it has expired', () => {
    const reason = 'another era of the contract settles it'
    expect(settle({ round: { ...sample, era: 2 } }, {}, minute(600))).toEqual({ kind: 'wait', reason })
  })

  test('does not change missing answers when it becomes void', () => {
    const settlement = settle({ exit: null, predictions: [missing('absent', 'model')] }, {}, minute(6))
    expect(settlement).toMatchObject({ kind: 'void', moves: [] })
  })

  test('is resolved even after its expiry if the truth is known by then', () => {
    expect(settle({}, {}, minute(600)).kind).toBe('resolved')
  })

  test('accepts an exit as old as a fifth of the horizon, at least one granularity, or as the contract sets', () => {
    const aged = (ageMs: number) => ({ exit: { ...exit, knownAt: minute(5) - ageMs } })
    expect(settle(aged(60_000)).kind).toBe('resolved')
    expect(settle(aged(60_001)).kind).toBe('wait')
    const shorter = { truth: { maxStaleness: '10s' } }
    expect(settle(aged(10_000), shorter).kind).toBe('resolved')
    expect(settle(aged(10_001), shorter).kind).toBe('wait')
    const longer = {
      prediction: { schedule: [{ subject: 'BTCUSDT', every: '1m', horizon: '10m', key: 'BTCUSDT-5m' }] },
    }
    expect(settle(aged(120_000), longer).kind).toBe('resolved')
    expect(settle(aged(120_001), longer).kind).toBe('wait')
  })

  test('keeps a long reason short', () => {
    const resolve = () => {
      throw new Error('x'.repeat(5_000))
    }
    const settlement = settle({}, { truth: { resolve } }, minute(6))
    expect(settlement.kind === 'void' && settlement.reason).toHaveLength(2_000)
  })
})

describe('a round of a series with a gate', () => {
  const gate = (options: object): ContractChanges => ({ feed: { ...market, gate: options } })
  const frozen = gate({ frozenAfter: 2 })
  const agreeing = gate({ agree: { with: 'ETHUSDT', within: 0.01 } })
  const known = (records: readonly FeedRecord[], peer: FeedRecord | null = null) => ({ records, peer })
  const evidence = (changes: Partial<RoundEvidence> = {}): RoundEvidence => ({
    entry: known([candle(-2, { close: 99 }), entry], candle(-1, { close: 100 }, eth)),
    exit: known([candle(3, { close: 109 }), exit], candle(4, { close: 110 }, eth)),
    peerWatermarkAt: minute(5),
    ...changes,
  })

  test('is resolved when entry and exit are trusted', () => {
    expect(settle({ evidence: evidence() }, frozen).kind).toBe('resolved')
    expect(settle({ evidence: evidence() }, agreeing).kind).toBe('resolved')
  })

  test.each([
    ['entry', 'when the prediction was made (2026-03-01T10:00:00.000Z)'],
    ['exit', 'at the horizon (2026-03-01T10:05:00.000Z)'],
  ])(
    'waits while its %s is distrusted, because a gap may still be filled, and is void when it expires',
    (end, when) => {
      const same = known([candle(3, { close: 110 }), exit])
      const due = { evidence: evidence({ [end]: same }) }
      expectVoid(due, frozen, `the feed was not trusted ${when}: the last 2 records have the same values`)
    },
  )

  test('does not call truth.resolve while it is distrusted', () => {
    const resolve = () => {
      throw new Error('must not be called')
    }
    const changes = { ...frozen, truth: { resolve } }
    const settlement = settle({ evidence: evidence({ exit: known([exit, exit]) }) }, changes, minute(6))
    expect(settlement).toMatchObject({ kind: 'void', reason: expect.not.stringContaining('must not') })
  })

  test('waits for the corresponding record of the other series, or until it expires', () => {
    const behind = evidence({ peerWatermarkAt: minute(4) - 1 })
    expect(settle({ evidence: behind }, agreeing, minute(6) - 1).kind).toBe('wait')
    expect(settle({ evidence: behind }, agreeing, minute(6)).kind).toBe('resolved')
    const never = evidence({ peerWatermarkAt: null, exit: known([exit], null) })
    expect(settle({ evidence: never }, agreeing, minute(6) - 1).kind).toBe('wait')
    expect(settle({ evidence: never }, agreeing, minute(6))).toMatchObject({ kind: 'void' })
  })

  test('does not wait for a candle of the other series that cannot be known in time', () => {
    const hourly = { ...market, subjects: ['ETHUSDT'], granularity: '1h' }
    const own = { ...market, subjects: ['BTCUSDT'], gate: { agree: { with: 'ETHUSDT', within: 0.01 } } }
    const at = (peerWatermarkAt: number) => settle({ evidence: evidence({ peerWatermarkAt }) }, { feed: [own, hourly] })
    expect(at(minute(5) - 3_600_000).kind).toBe('wait')
    expect(at(minute(5) - 3_600_000 + 1).kind).toBe('resolved')
    const ticks = { ...hourly, kind: 'tick', gate: { watch: 'close' } }
    const ofTicks = { feed: [own, ticks] }
    expect(settle({ evidence: evidence({ peerWatermarkAt: minute(5) - 1 }) }, ofTicks).kind).toBe('wait')
    expect(settle({ evidence: evidence({ peerWatermarkAt: minute(5) }) }, ofTicks).kind).toBe('resolved')
  })

  test('cannot be settled without evidence', () => {
    expect(() => settle({ evidence: null }, frozen)).toThrow('no evidence for the gate of binance:BTCUSDT:candle:1m')
  })
})
