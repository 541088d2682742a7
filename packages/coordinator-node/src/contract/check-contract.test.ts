import { describe, expect, test } from 'vitest'
import { z } from 'zod'
import { changedContract, sampleContract } from '../../test/sample-contract.ts'
import { checkContract } from './check-contract.ts'
import { proportional, softmax } from './defaults/by-value.ts'
import type { Emission } from './defaults/emission.ts'
import { tiers } from './defaults/tiers.ts'
import { formatFindings } from './finding.ts'

/** The findings for the sample contract with changes, as an operator reads them. */
const findings = (changes: object) =>
  formatFindings(checkContract(changedContract(changes)))
    .split('\n')
    .filter(Boolean)

const schedule = (...entries: object[]) => ({
  prediction: { schedule: entries.map((entry) => ({ subject: 'BTCUSDT', every: '1m', horizon: '5m', ...entry })) },
})

describe('a valid contract', () => {
  test('has no findings', () => {
    expect(checkContract(sampleContract)).toEqual([])
  })

  test('may have several feeds, name its schedules, and rank by a field of any schema', () => {
    const eth = { ...sampleContract.feed, subjects: ['ETHUSDT'], granularity: '1h' }
    expect(findings({ feed: [{ ...sampleContract.feed, subjects: ['BTCUSDT'] }, eth] })).toEqual([])
    expect(findings(schedule({ key: 'fast' }, { key: 'slow', horizon: '5m' }))).toEqual([])
    const { schema } = sampleContract.score
    expect(findings({ score: { schema: schema.refine(() => true).transform((score) => score) } })).toEqual([])
  })
})

describe('the content of a contract', () => {
  test('is checked together with its form, with all findings at once', () => {
    const found = findings({
      nam: 'a slip',
      name: 'next move',
      score: { comput: 'a slip' },
      prediction: { timeout: 'long', schedule: [{ subject: 'BTCUSD', every: '1m', horizon: '5m' }] },
    })
    expect(found.map((line) => line.slice(4, line.indexOf(':')))).toEqual([
      'nam',
      'prediction.timeout',
      'score.comput',
      'name',
      'prediction.schedule[0].subject',
    ])
  })

  test('is not checked where the form is wrong', () => {
    const wrong = { name: 'next move', snapshot: { every: 'often' }, checkpoint: { every: '90s' } }
    expect(findings(wrong).map((line) => line.slice(4, line.indexOf(':')))).toEqual(['snapshot.every', 'name'])
    expect(checkContract(null)).toHaveLength(1)
    expect(checkContract([])).toHaveLength(1)
  })

  test('limits maxValues to what unions of the schema can be checked for in time', () => {
    const forms = Array.from({ length: 6 }, (_, index) => z.object({ [`field${index}`]: z.number() }))
    const schema = z.object({ value: z.number(), rows: z.record(z.string(), z.union(forms)) })
    expect(findings({ prediction: { schema, maxValues: 50_000 } })).toEqual([])
    expect(findings({ prediction: { schema, maxValues: 50_001 } })).toEqual([
      '  - prediction.maxValues: 50001 values take too long to check, since unions of the schema may check each one 6 times; ' +
        'use at most 50000, or z.discriminatedUnion, which checks one form only',
    ])
  })

  test('must permit its own example answers in prediction.maxValues', () => {
    const list = (length: number) => z.object({ value: z.number(), list: z.array(z.number()).length(length) })
    const tooLow = (maxValues: number) =>
      `  - prediction.maxValues: ${maxValues} is too low for the example answers made from prediction.schema, so they would be refused as too large; `
    // The object, its number, the list and its items.
    expect(findings({ prediction: { schema: list(97), maxValues: 100 } })).toEqual([])
    expect(findings({ prediction: { schema: list(98), maxValues: 100 } })).toEqual([`${tooLow(100)}use at least 101`])
    expect(findings({ prediction: { schema: list(9_998) } })).toEqual([`${tooLow(10_000)}use at least 10001`])
    expect(findings({ prediction: { schema: list(100_000) } })).toEqual([
      `${tooLow(10_000)}make answers smaller or flatter: 100000 values and 16 levels are the most that this schema can have`,
    ])
    const longKey = z.object({ value: z.number(), ['k'.repeat(16 * 3)]: z.number() })
    expect(findings({ prediction: { schema: longKey, maxValues: 3 } })).toEqual([`${tooLow(3)}use at least 4`])
    const shortToo = z.object({ value: z.number(), either: z.union([z.number(), z.array(z.number()).length(200)]) })
    expect(findings({ prediction: { schema: shortToo, maxValues: 100 } })).toEqual([])
    const joined = list(98).transform(({ value }) => ({ value }))
    expect(findings({ prediction: { schema: joined, maxValues: 100 } })).toEqual([`${tooLow(100)}use at least 101`])
  })

  test('needs a name of letters, digits and hyphens', () => {
    expect(findings({ name: 'next move' })).toEqual([
      '  - name: "next move" may only contain letters, digits and hyphens; rename it',
    ])
  })

  test('needs a schedule with subjects that a feed has', () => {
    expect(findings({ prediction: { schedule: [] } })).toEqual([
      '  - prediction.schedule: is empty: no round would ever open; add an entry',
    ])
    expect(findings(schedule({}, { subject: 'BTCUSD' }, { subject: 'gold' }))).toEqual([
      '  - prediction.schedule[1].subject: no feed has "BTCUSD"; did you mean "BTCUSDT"?',
      '  - prediction.schedule[2].subject: no feed has "gold"; the feed has BTCUSDT, ETHUSDT',
    ])
  })

  test('needs horizons no shorter than the granularity of the feed', () => {
    expect(findings(schedule({ horizon: '30s' }))).toEqual([
      "  - prediction.schedule[0].horizon: 30s is shorter than the feed's granularity of 1m, so no new record would be known; use at least 1m",
    ])
    expect(findings(schedule({ horizon: '60s' }))).toEqual([])
  })

  test.each([
    [{ horizon: '90s' }, ["horizon: 90s is not a whole multiple of the feed's granularity of 1m", 'use 2m']],
    [{ horizon: '100s' }, ["horizon: 100s is not a whole multiple of the feed's granularity of 1m", 'use 2m']],
    [{ every: '20s' }, ["every: 20s is not a whole multiple of the feed's granularity of 1m", 'use 1m']],
    [{ every: '150s' }, ["every: 150s is not a whole multiple of the feed's granularity of 1m", 'use 3m']],
    [{ step: '2m' }, ['step: 2m does not divide the horizon of 5m into whole steps', 'use 5m or a whole fraction']],
    [{ step: '10m' }, ['step: 10m does not divide the horizon of 5m into whole steps', 'use 5m or a whole fraction']],
  ])('needs lengths that fit the granularity of the feed and each other: %j', (entry, texts) => {
    const found = findings(schedule(entry))
    expect(found).toHaveLength(1)
    for (const text of texts) expect(found[0]).toContain(text)
  })

  test('may open clock rounds between records', () => {
    expect(findings(schedule({ on: 'clock', every: '20s', horizon: '90s', step: '30s' }))).toEqual([])
    expect(findings(schedule({ on: 'clock', horizon: '90s', step: '60s' }))).toHaveLength(1)
    expect(findings(schedule({ every: '3m', horizon: '5m', step: '15s' }))).toEqual([])
  })

  test('needs a time-out shorter than each horizon, because an answer must come before the truth can be known', () => {
    const timed = (timeout: string) => {
      const { prediction } = schedule({ horizon: '1h' }, { horizon: '5m' }, { horizon: '2m' })
      return findings({ prediction: { ...prediction, timeout } })
    }
    expect(timed('119999ms')).toEqual([])
    expect(timed('2m')).toEqual([
      '  - prediction.timeout: 2m reaches the horizon of 2m of "BTCUSDT-2m", when the truth can be known; use less than 2m (MODEL_RUNNER_TIMEOUT_SECONDS replaces it), or lengthen the horizon',
    ])
    expect(timed('10m')).toHaveLength(1)
  })

  test('needs unique schedule keys, given or by default', () => {
    expect(findings(schedule({}, { every: '5m' }))).toEqual([
      '  - prediction.schedule[1].key: "BTCUSDT-5m" is already the key of an earlier entry; set a key of its own',
    ])
    expect(findings(schedule({}, { key: 'BTCUSDT-5m', horizon: '1h' }))).toHaveLength(1)
  })

  test('must name registered metrics, and provide what they need', () => {
    expect(findings({ snapshot: { metrics: ['ic', 'hitrate', 'sharpe'] } })).toEqual([
      '  - snapshot.metrics[1]: no metric "hitrate" is registered; did you mean "hit_rate"?',
      '  - snapshot.metrics[2]: no metric "sharpe" is registered; there are ic, hit_rate, max_drawdown, model_correlation',
    ])
    expect(findings({ snapshot: { metrics: ['ic'], signal: undefined, actual: undefined } })).toEqual([
      '  - snapshot.signal: is missing, and the metric "ic" needs it; add signal: ({ output }) => a number',
      '  - snapshot.actual: is missing, and the metric "ic" needs it; add actual: ({ truth }) => a number',
    ])
    expect(findings({ snapshot: { metrics: undefined, signal: undefined, actual: undefined } })).toEqual([])
    expect(findings({ snapshot: { metrics: ['toString'] } })).toHaveLength(1)
  })

  test('must not contain ensembles, which do not exist, even as an empty list', () => {
    for (const ensembles of [[], ['mean']]) {
      expect(findings({ snapshot: { ensembles } })).toEqual(['  - snapshot.ensembles: there is no such key; remove it'])
    }
  })

  test('must rank by an existing window and numeric field', () => {
    expect(findings({ leaderboard: { rankBy: 'recnt' } })).toEqual([
      '  - leaderboard.rankBy: there is no window "recnt"; did you mean "recent"?',
    ])
    expect(findings({ leaderboard: { rankBy: 'anchor-of-all' } })).toEqual([
      '  - leaderboard.rankBy: there is no window "anchor-of-all"; the windows are recent, long',
    ])
    expect(findings({ leaderboard: { value: 'values' } })).toContain(
      '  - leaderboard.value: a score has no field "values"; its fields are value, hit',
    )
    expect(findings({ leaderboard: { value: 'hit' } })).toEqual([
      '  - leaderboard.value: score.hit is not a number; rank by a number',
    ])
  })

  test('needs checkpoints of whole snapshot periods, and windows no shorter than one', () => {
    expect(findings({ checkpoint: { every: '25m' } })).toEqual([
      '  - checkpoint.every: 25m is not a whole number of snapshot periods of 10m; change one of the two, so that every snapshot lies in one checkpoint',
    ])
    expect(findings({ leaderboard: { windows: { recent: '20m', tiny: '9m' } } })).toEqual([
      '  - leaderboard.windows.tiny: 9m is shorter than one snapshot period of 10m, so it would always be empty; use at least 10m',
    ])
  })

  test('gets all findings at once', () => {
    const { length } = findings({
      ...schedule({ horizon: '30s' }),
      name: '?',
      snapshot: { metrics: ['sharpe'] },
      checkpoint: { every: '25m' },
    })
    expect(length).toBe(4)
  })
})

describe('the emission', () => {
  const emission = (shares: unknown) => findings({ checkpoint: { emission: { name: 'own', shares } } })

  test('that does not sum to 100 is reported, with its shares', () => {
    expect(emission(() => [100])).toEqual([
      '  - checkpoint.emission.shares: gives [100] for 2 models (sum 100), which must be one share for each model; ' +
        'return one share per model, none negative, not larger for a worse rank, with the sum 100',
    ])
    expect(emission((ranked: unknown[]) => ranked.map(() => 10))[0]).toContain('gives [10] for 1 models (sum 10)')
  })

  test.each([
    [
      'is negative',
      (ranked: unknown[]) =>
        ranked.map((_, index) => (ranked.length === 1 ? 100 : index === 0 ? 110 : -10 / (ranked.length - 1))),
    ],
    ['is not a number', (ranked: unknown[]) => ranked.map(() => Number.NaN)],
    ['is infinite', () => [Number.POSITIVE_INFINITY]],
    ['is a text', (ranked: unknown[]) => (ranked.length === 1 ? ['100'] : ranked.map(() => 100 / ranked.length))],
  ])('with a share that %s is reported', (_, shares) => {
    expect(emission(shares)[0]).toContain('return one share per model')
  })

  test('that ignores ties is reported', () => {
    const forgetful = (ranked: { rank: number }[]) => {
      const weights = ranked.map(({ rank }) => (rank === 1 ? 60 : 40 / Math.max(1, ranked.length - 1)))
      return ranked.length === 1 ? [100] : weights
    }
    expect(emission(forgetful)[0]).toContain('gives [60, 60, 60, 60] for 4 models (sum 240)')
  })

  test.each([
    ['99.9 percent', 99.9],
    ['100.1 percent', 100.1],
  ])('that divides %s is reported', (_, total) => {
    expect(emission((ranked: unknown[]) => ranked.map(() => total / ranked.length))[0]).toMatch(
      /gives \[[\d.]+\] for 1 models \(sum [\d.]+\), which must be percentages with the sum 100/,
    )
  })

  test('that pays a worse rank more, or equal ranks differently, is reported', () => {
    const rising = (ranked: { rank: number }[]) =>
      ranked.map(({ rank }) => (rank / ((ranked.length + 1) * ranked.length)) * 200)
    expect(emission(rising)[0]).toMatch(
      /gives \[33.3\d*, 66.6\d*\] for 2 models .*, where rank 1 gets 33.3\d* and rank 2 gets 66.6/,
    )
    const byPosition = (ranked: unknown[]) => ranked.map((_, index) => (index === 0 ? 100 : 0))
    expect(emission(byPosition)[0]).toContain(
      'where rank 1 gets 100 and rank 1 gets 0: equal ranks must get equal shares',
    )
  })

  test('of the engine is accepted in both directions, except one that pays for values above 0 where lower is better', () => {
    const value = { payAbove: { value: 2 } } as const
    const found = (direction: string, own: Emission) =>
      findings({ leaderboard: { direction }, checkpoint: { emission: own } })
    for (const direction of ['asc', 'desc']) {
      for (const own of [tiers(), softmax(), softmax(value), proportional(value), proportional({ zeroAt: 9 })]) {
        expect(found(direction, own)).toEqual([])
      }
    }
    expect(found('desc', proportional())).toEqual([])
    expect(found('asc', proportional())).toEqual([
      expect.stringContaining('add payAbove, such as a baseline, or zeroAt'),
    ])
    expect(found('desc', softmax({ temperature: 0 }))[0]).toContain(
      'softmax(): the temperature 0 is not a positive number',
    )
  })

  test.each([
    ['nothing', () => undefined],
    ['a number', () => 100],
  ])('that returns %s is reported', (_, shares) => {
    expect(emission(shares)).toEqual([expect.stringContaining('checkpoint.emission.shares: gives')])
  })

  test('that throws is reported, with the number of models', () => {
    const throwing = (ranked: unknown[]) => {
      if (ranked.length === 3) throw new Error('three is a crowd')
      return ranked.map(() => 100 / ranked.length)
    }
    expect(emission(throwing)).toEqual([
      '  - checkpoint.emission.shares: throws for 3 models: Error: three is a crowd; fix the function',
    ])
  })
})

describe('the scorer', () => {
  const scorer = (compute: unknown) => findings({ score: { compute } })

  test('that returns the same number for varied answers is reported as a stub', () => {
    expect(scorer(() => ({ value: 0, hit: true }))).toEqual([
      '  - score.compute: gives value = 0 for 36 varied predictions and truths: it looks like a stub; compute the score from output and truth',
    ])
  })

  test('that fails for every sample is reported with file and line; one that throws for some is not', () => {
    const thrower = (when: (value: number) => boolean) => (context: { output: { value: number } }) => {
      if (when(context.output.value)) throw new Error('no such thing')
      return { value: context.output.value, hit: true }
    }
    expect(scorer(thrower(() => true))).toEqual([
      expect.stringMatching(
        /^ {2}- score\.compute: fails for every sample: score\.compute failed at contract\/check-contract\.test\.ts:\d+: no such thing; fix the function, or narrow the schemas$/,
      ),
    ])
    expect(scorer(thrower((value) => value > 0))).toEqual([])
    expect(
      scorer(() => {
        throw 'plain text'
      })[0],
    ).toContain('fails for every sample: score.compute failed: plain text')
    expect(
      scorer(({ output }: { output: { value: number } }) => ({ value: output.value * Number.NaN, hit: true }))[0],
    ).toMatch(
      /score\.compute at contract\/check-contract\.test\.ts:\d+ returned what score\.schema refuses: value: .*NaN/,
    )
  })

  test('that returns a promise is reported', () => {
    expect(scorer(async () => ({ value: 1, hit: true }))[0]).toContain('score.compute: fails for every sample')
  })

  test('is not checked when the schemas cannot be sampled', () => {
    const never = z.object({ value: z.number() }).refine(() => false)
    expect(findings({ prediction: { schema: never } })).toEqual([])
  })

  test("is not checked with samples that the author's refinement refuses by throwing", () => {
    const strict = z.object({ value: z.number() }).transform(() => {
      throw new Error('not like this')
    })
    expect(findings({ prediction: { schema: strict } })).toEqual([])
  })
})

describe('the call to the models', () => {
  const calling = (make: () => unknown) => findings({ prediction: { call: { arguments: make } } })

  test('is checked once at the start', () => {
    expect(calling(() => [{ type: 'STRING', value: 'BTC' }])).toEqual([])
    expect(calling(() => 'BTC')[0]).toContain('prediction.call.arguments: does not give a list')
    expect(
      calling(() => {
        throw new Error('no such subject')
      })[0],
    ).toContain('prediction.call.arguments: throws: no such subject')
  })
})
