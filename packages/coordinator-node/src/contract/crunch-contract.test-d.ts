import { assertType, describe, expectTypeOf, test } from 'vitest'
import { z } from 'zod'
import {
  type AnyContract,
  bars,
  candles,
  defineContract,
  type InputOf,
  type PredictionOf,
  placesBy,
  type RankContext,
  type ScoreOf,
  series,
  type TruthOf,
  ticks,
  tiers,
} from '../index.ts'

const market = candles({ source: 'binance', subjects: ['BTCUSDT', 'ETHUSDT'], granularity: '1m' })
const bar = bars(market)

const valid = defineContract({
  name: 'next-move',
  feed: market,
  input: {
    schema: z.object({ subject: z.string(), closes: z.array(z.number()) }),
    window: bar(120),
    build: ({ subject, records }) => ({ subject, closes: records.map((record) => record.values.close) }),
  },
  prediction: {
    schema: z.object({ value: z.number().min(-1).max(1) }),
    schedule: [{ subject: 'BTCUSDT', every: bar(1), horizon: bar(5), step: bar(1) }],
    timeout: '10s',
    missing: 'worst',
  },
  truth: {
    schema: z.object({ return: z.number() }),
    resolve: ({ entry, exit }) => ({ return: exit.values.close / entry.values.close - 1 }),
  },
  score: {
    schema: z.object({ value: z.number(), hit: z.boolean() }),
    compute: ({ output, truth }) => ({
      value: output.value * truth.return * 10_000,
      hit: Math.sign(output.value) === Math.sign(truth.return),
    }),
  },
  snapshot: {
    every: bar(10),
    metrics: ['ic', 'hit_rate', 'max_drawdown', 'model_correlation'],
    signal: ({ output }) => output.value,
    actual: ({ truth }) => truth.return,
  },
  leaderboard: {
    value: 'value',
    windows: { recent: '24h', steady: '3d', anchor: '7d' },
    rankBy: 'recent',
    direction: 'desc',
  },
  checkpoint: { every: '7d', emission: tiers() },
})

const prices = candles({ source: 'binance', subjects: ['BTCUSDT'], granularity: '1m' })
const quotes = ticks({ source: 'pyth', subjects: ['EURUSD'], granularity: '1m' })
const readings = series({
  source: 'noaa',
  subjects: ['Seattle', 'BTCUSDT'],
  kind: 'daily',
  granularity: '1d',
  values: z.object({ celsius: z.number() }),
})

describe('defineContract', () => {
  test('types every function from the schemas', () => {
    assertType<AnyContract>(valid)
    expectTypeOf(valid.score.compute).parameter(0).toHaveProperty('output').toEqualTypeOf<{ value: number }>()
    expectTypeOf(valid.truth.resolve).parameter(0).toHaveProperty('round')
    expectTypeOf(valid.prediction.schedule).items.toHaveProperty('subject').toEqualTypeOf<'BTCUSDT' | 'ETHUSDT'>()
  })

  test('refuses an output field that the schema lacks', () => {
    defineContract({
      ...valid,
      // @ts-expect-error `confidence` is not in the prediction's schema
      score: { schema: valid.score.schema, compute: ({ output }) => ({ value: output.confidence, hit: true }) },
    })
  })

  test('refuses a record value that the feed lacks', () => {
    defineContract({
      ...valid,
      // @ts-expect-error a candle has no `price`
      truth: { schema: valid.truth.schema, resolve: ({ entry }) => ({ return: entry.values.price }) },
    })
  })

  test('refuses a score of the wrong type', () => {
    defineContract({
      ...valid,
      // @ts-expect-error `hit` is a boolean
      score: { schema: valid.score.schema, compute: () => ({ value: 1, hit: 'yes' }) },
    })
  })

  test('refuses to rank by a boolean, and by a window that does not exist', () => {
    const windows = { recent: '24h' } as const
    defineContract({
      ...valid,
      leaderboard: {
        // @ts-expect-error `hit` is a boolean
        value: 'hit',
        windows,
        rankBy: 'recent',
        direction: 'desc',
      },
    })
    defineContract({
      ...valid,
      leaderboard: {
        value: 'value',
        windows,
        // @ts-expect-error there is no window `weekly`
        rankBy: 'weekly',
        direction: 'desc',
      },
    })
  })

  test('refuses a text that is not a duration, an unknown metric and an unknown subject', () => {
    // @ts-expect-error write '24h'
    defineContract({ ...valid, checkpoint: { every: '24 hours', emission: tiers() } })
    // @ts-expect-error no such metric
    defineContract({ ...valid, snapshot: { every: '10m', metrics: ['sharp'] } })
    defineContract({
      ...valid,
      // @ts-expect-error the feed carries no SOLUSDT
      prediction: { ...valid.prediction, schedule: [{ subject: 'SOLUSDT', every: '1m', horizon: '5m' }] },
    })
  })

  test('accepts the rules for ranks and pay, and refuses invalid ones', () => {
    defineContract({
      ...valid,
      baselines: ['flat'],
      leaderboard: { ...valid.leaderboard, newcomers: 'worst' },
      checkpoint: { every: '7d', minCoverage: 0.5, emission: tiers({ payAbove: { baseline: 'flat' } }) },
    })
    tiers({ percentages: [50, 30], payAbove: { value: 0 } })
    tiers([50, 30])
    // @ts-expect-error a policy is wait, worst or own
    defineContract({ ...valid, leaderboard: { ...valid.leaderboard, newcomers: 'first' } })
    // @ts-expect-error a share is a number
    defineContract({ ...valid, checkpoint: { ...valid.checkpoint, minCoverage: '50 %' } })
    // @ts-expect-error baselines are a list of names
    defineContract({ ...valid, baselines: 'flat' })
    // @ts-expect-error a floor is a baseline or a value, never both
    tiers({ payAbove: { baseline: 'flat', value: 0 } })
    // @ts-expect-error a floor needs a baseline or a value
    tiers({ payAbove: {} })
    // @ts-expect-error `payabove` is a typo
    tiers({ payabove: { value: 0 } })
  })

  test('refuses an unknown key', () => {
    // @ts-expect-error `scores` is a typo
    defineContract({ ...valid, scores: {} })
  })

  test('refuses a gate that does not watch a numeric value of the feed', () => {
    const options = { source: 'binance', subjects: ['BTCUSDT'], granularity: '1m' } as const
    candles({
      ...options,
      gate: { watch: 'open', frozenAfter: 30, maxJump: 0.1, agree: { with: 'BTCUSD', within: 0.01 } },
    })
    // @ts-expect-error a candle has no `price`
    candles({ ...options, gate: { watch: 'price' } })
    // @ts-expect-error `maxjump` is a typo
    candles({ ...options, gate: { maxjump: 0.1 } })
    const values = z.object({ bid: z.number(), venue: z.string() })
    const quotes = series({ ...options, kind: 'quote', values, gate: { watch: 'bid', maxJump: 0.1 } })
    expectTypeOf(quotes.values).toEqualTypeOf<typeof values>()
    // @ts-expect-error `venue` is a text
    series({ ...options, kind: 'quote', values, gate: { watch: 'venue' } })
  })
})

describe('the types of a contract’s values', () => {
  test('are those of its schemas', () => {
    expectTypeOf<InputOf<typeof valid>>().toEqualTypeOf<{ subject: string; closes: number[] }>()
    expectTypeOf<PredictionOf<typeof valid>>().toEqualTypeOf<{ value: number }>()
    expectTypeOf<TruthOf<typeof valid>>().toEqualTypeOf<{ return: number }>()
    expectTypeOf<ScoreOf<typeof valid>>().toEqualTypeOf<{ value: number; hit: boolean }>()
  })

  test('are the output types of the schemas, after defaults and transformations', () => {
    const changed = defineContract({
      ...valid,
      prediction: { ...valid.prediction, schema: z.object({ value: z.number().default(0) }) },
    })
    expectTypeOf<PredictionOf<typeof changed>>().toEqualTypeOf<{ value: number }>()
    const kelvin = defineContract({
      ...valid,
      truth: {
        schema: z.object({ celsius: z.number() }).transform(({ celsius }) => ({ kelvin: celsius + 273.15 })),
        resolve: () => ({ celsius: 20 }),
      },
      score: { schema: valid.score.schema, compute: ({ truth }) => ({ value: truth.kelvin, hit: true }) },
      snapshot: { every: '10m' },
    })
    expectTypeOf<TruthOf<typeof kelvin>>().toEqualTypeOf<{ kelvin: number }>()
  })

  test('are the parameter types of the functions of the contract', () => {
    expectTypeOf(valid.score.compute).parameter(0).toHaveProperty('output').toEqualTypeOf<PredictionOf<typeof valid>>()
    expectTypeOf(valid.score.compute).parameter(0).toHaveProperty('truth').toEqualTypeOf<TruthOf<typeof valid>>()
    type Signal = NonNullable<typeof valid.snapshot.signal>
    expectTypeOf<Parameters<Signal>[0]['output']>().toEqualTypeOf<PredictionOf<typeof valid>>()
  })

  test('exist for contracts only', () => {
    // @ts-expect-error a schema is not a contract
    expectTypeOf<InputOf<typeof valid.input.schema>>().toBeUnknown()
  })
})

describe('with several feeds', () => {
  const contract = {
    ...valid,
    prediction: {
      schema: valid.prediction.schema,
      schedule: [{ subject: 'BTCUSDT', every: '1m', horizon: '5m' }],
      timeout: '10s',
    },
    score: { schema: valid.score.schema, compute: () => ({ value: 1, hit: true }) },
    snapshot: { every: '10m' },
  } as const

  test('the subject of an input narrows its records', () => {
    const several = defineContract({
      ...contract,
      feed: [quotes, prices],
      input: {
        schema: valid.input.schema,
        window: '1h',
        build({ subject, records }) {
          if (subject === 'EURUSD') {
            expectTypeOf(records[0]!.kind).toEqualTypeOf<'tick'>()
            return { subject, closes: records.map((record) => record.values.price) }
          }
          expectTypeOf(subject).toEqualTypeOf<'BTCUSDT'>()
          return { subject, closes: records.map((record) => record.values.close) }
        },
      },
      truth: { schema: valid.truth.schema, resolve: () => null },
    })
    assertType<AnyContract>(several)
    expectTypeOf<InputOf<typeof several>>().toEqualTypeOf<{ subject: string; closes: number[] }>()
  })

  test('without narrowing, the records have no common values', () => {
    defineContract({
      ...contract,
      feed: [quotes, prices],
      input: {
        schema: valid.input.schema,
        window: '1h',
        // @ts-expect-error a tick has no `close`
        build: ({ subject, records }) => ({ subject, closes: records.map((record) => record.values.close) }),
      },
      truth: { schema: valid.truth.schema, resolve: () => null },
    })
  })

  test('the kind of a record narrows its values where feeds share a subject', () => {
    defineContract({
      ...contract,
      feed: [readings, prices],
      input: {
        schema: valid.input.schema,
        window: '1h',
        build: ({ subject, records }) => ({
          subject,
          closes: records.map((record) => (record.kind === 'daily' ? record.values.celsius : record.values.close)),
        }),
      },
      truth: { schema: valid.truth.schema, resolve: () => null },
    })
  })

  test('the kind and the subject of a record narrow its values in truth.resolve', () => {
    defineContract({
      ...contract,
      feed: [quotes, prices],
      input: { schema: valid.input.schema, window: '1h', build: ({ subject }) => ({ subject, closes: [] }) },
      truth: {
        schema: valid.truth.schema,
        records: true,
        resolve({ entry, exit, records, round }) {
          expectTypeOf(round.subject).toEqualTypeOf<'EURUSD' | 'BTCUSDT'>()
          for (const record of records) if (record.kind === 'tick') assertType<number>(record.values.price)
          if (entry.subject === 'EURUSD') expectTypeOf(entry.values).toEqualTypeOf<{ price: number }>()
          if (entry.kind !== 'candle' || exit.kind !== 'candle') return null
          return { return: exit.values.close / entry.values.close - 1 }
        },
      },
    })
  })

  test('a combination of kind and subject that no feed has is refused', () => {
    defineContract({
      ...contract,
      feed: [quotes, prices],
      input: { schema: valid.input.schema, window: '1h', build: ({ subject }) => ({ subject, closes: [] }) },
      truth: {
        schema: valid.truth.schema,
        // @ts-expect-error the kinds are `tick` and `candle`
        resolve: ({ entry }) => (entry.kind === 'trade' ? { return: 1 } : null),
      },
    })
  })
})

describe('functions that rank', () => {
  const windows = { recent: '24h', steady: '3d' } as const
  const usual = { value: 'value', windows, rankBy: 'recent', direction: 'desc' } as const

  test('get the scores of a window, and the windows of the contract by name', () => {
    const own = defineContract({
      ...valid,
      leaderboard: {
        ...usual,
        aggregate({ scores, start, end }) {
          expectTypeOf(scores[0]?.kind).toEqualTypeOf<'valid' | 'imputed' | undefined>()
          assertType<number>(end - start)
          return scores.length < 10 ? null : Math.max(...scores.map(({ value }) => value))
        },
        rank({ models }) {
          expectTypeOf(models[0]?.windows).toEqualTypeOf<
            Readonly<Record<'recent' | 'steady', number | null>> | undefined
          >()
          return placesBy(models, (left, right) => (right.windows.steady ?? right.value) - (left.windows.steady ?? 0))
        },
      },
    })
    assertType<AnyContract>(own)
    // Of a file of its own, for LEADERBOARD_RANKER.
    const rank = ({ models }: RankContext<'recent' | 'steady'>) => models.map(({ modelId }) => modelId)
    defineContract({ ...valid, leaderboard: { ...usual, rank } })
  })

  test('are refused with a window that there is not, and with what is no value and no order', () => {
    defineContract({
      ...valid,
      leaderboard: {
        ...usual,
        // @ts-expect-error there is no window `anchor`
        rank: ({ models }) => models.filter(({ windows: own }) => own.anchor !== null).map(({ modelId }) => modelId),
      },
    })
    defineContract({
      ...valid,
      leaderboard: {
        ...usual,
        // @ts-expect-error an order is of ids, not of ranks
        rank: ({ models }) => models.map((_, index) => index + 1),
      },
    })
    defineContract({
      ...valid,
      leaderboard: {
        ...usual,
        // @ts-expect-error a value is a number
        aggregate: ({ scores }) => scores.map(({ value }) => value),
      },
    })
    defineContract({
      ...valid,
      leaderboard: {
        ...usual,
        // @ts-expect-error a window may have no value
        rank: ({ models }) => placesBy(models, (left, right) => right.windows.steady - left.windows.steady),
      },
    })
  })
})
