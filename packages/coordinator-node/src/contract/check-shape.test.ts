import { describe, expect, test } from 'vitest'
import { changedContract, sampleContract } from '../../test/sample-contract.ts'
import { checkContract } from './check-contract.ts'
import { checkShape } from './check-shape.ts'
import { formatFindings } from './finding.ts'

const findings = (candidate: unknown) => formatFindings(checkShape(candidate)).split('\n').filter(Boolean)
const changed = (changes: object) => findings(changedContract(changes))
const feed = sampleContract.feed
const gate = {
  watch: 'close',
  frozenAfter: 30,
  maxJump: 0.1,
  agree: { with: 'ETHUSDT', source: 'binance', within: 0.01 },
}

/** The contract with one value replaced, by its path. */
function withValue(path: string, value: unknown): unknown {
  const [key = '', ...rest] = path.split('.')
  const set = (target: unknown, [name = '', ...deeper]: string[]): object => {
    const base = target as Record<string, unknown>
    return { ...base, [name]: deeper.length === 0 ? value : set(base[name] ?? {}, deeper) }
  }
  return set(sampleContract, [key, ...rest])
}

describe('checkShape', () => {
  test.each([[null], [undefined], ['text'], [[]], [() => ({})]])('reports that %j is not a contract', (candidate) => {
    expect(findings(candidate)).toEqual(['  - contract: is not an object; write { ... }'])
  })

  test('reports every missing group, and nothing else', () => {
    const groups = ['name', 'feed', 'input', 'prediction', 'truth', 'score', 'snapshot', 'leaderboard', 'checkpoint']
    expect(findings({})).toEqual(groups.map((group) => `  - ${group}: is missing; add it`))
  })

  test.each([
    ['scores', 'score'],
    ['input.windw', 'window'],
    ['prediction.shedule', 'schedule'],
    ['prediction.call.ticks', 'tick'],
    ['truth.maxStalenes', 'maxStaleness'],
    ['score.computed', 'compute'],
    ['snapshot.metric', 'metrics'],
    ['leaderboard.rankby', 'rankBy'],
    ['leaderboard.newcomer', 'newcomers'],
    ['leaderboard.mincoverage', 'minCoverage'],
    ['checkpoint.minCoverge', 'minCoverage'],
    ['checkpoint.emission.payabove', 'payAbove'],
    ['checkpoint.emission.payAbove.basline', 'baseline'],
    ['baseline', 'baselines'],
    ['checkpoint.evry', 'every'],
    ['checkpoint.emission.share', 'shares'],
    ['feed.granularty', 'granularity'],
    ['feed.gate.maxjump', 'maxJump'],
    ['feed.gate.agree.sourc', 'source'],
  ])('reports the unknown key %s and suggests %s', (path, nearest) => {
    expect(findings(withValue(path, 1))).toContain(`  - ${path}: there is no such key; did you mean ${nearest}?`)
  })

  test('reports unknown keys in lists, and says to remove those that resemble no known key', () => {
    expect(changed({ feed: [feed, { ...feed, extra_stuff: 1 }] })).toEqual([
      '  - feed[1].extra_stuff: there is no such key; remove it',
    ])
    const entry = { subject: 'BTCUSDT', every: '1m', horizons: '5m' }
    expect(changed({ prediction: { schedule: [entry] } })).toEqual([
      '  - prediction.schedule[0].horizons: there is no such key; did you mean horizon?',
      '  - prediction.schedule[0].horizon: is missing; add it',
    ])
  })

  test('reports keys that every object inherits', () => {
    expect(findings(withValue('truth.toString', () => 'truth'))).toHaveLength(1)
    expect(findings(withValue('constructor', 1))).toHaveLength(1)
  })

  test.each([
    ['name', '', 'is not a text'],
    ['name', 7, 'is not a text'],
    ['feed', 'binance', 'is not an object'],
    ['feed.subjects', 'BTCUSDT', 'is not a list'],
    ['feed.values', {}, 'is not a zod schema'],
    ['feed.granularity', '1 minute', '"1 minute" is not a duration'],
    ['feed.gate', 30, 'is not an object'],
    ['feed.gate.watch', 1, 'is not a text'],
    ['feed.gate.frozenAfter', 1, 'is not a whole number from 2 to 1000'],
    ['feed.gate.frozenAfter', 2.5, 'is not a whole number from 2 to 1000'],
    ['feed.gate.frozenAfter', 1_001, 'is not a whole number from 2 to 1000'],
    ['feed.gate.maxJump', '10 %', 'is not a number above 0'],
    ['feed.gate.maxJump', Number.POSITIVE_INFINITY, 'is not a number above 0'],
    ['feed.gate.agree', 'ETHUSDT', 'is not an object'],
    ['feed.gate.maxJump', 0, 'is not a number above 0'],
    ['input.schema', null, 'is not a zod schema'],
    ['input.build', 'build', 'is not a function'],
    ['input.window', 60, '60 is not a duration'],
    ['prediction.schedule', {}, 'is not a list'],
    ['prediction.missing', 'best', '"best" is not known'],
    ['prediction.reveal', 'later', '"later" is not known'],
    ['prediction.call', true, 'is not an object'],
    ['prediction.call.tick', true, 'is not a text'],
    ['prediction.call.arguments', [], 'is not a function'],
    ['truth.expire', '0s', '"0s" is not a duration'],
    ['truth.records', 'yes', 'is not a boolean'],
    ['score.compute', {}, 'is not a function'],
    ['score.unit', '', 'is not a unit'],
    ['score.unit', 'a\nb', 'is not a unit'],
    ['score.unit', 'x'.repeat(21), 'is not a unit'],
    ['snapshot.metrics', 'ic', 'is not a list'],
    ['snapshot.signal', 1, 'is not a function'],
    ['leaderboard.windows', {}, 'has no window'],
    ['leaderboard.windows', 'all', 'has no window'],
    ['leaderboard.windows.long', '24 hours', '"24 hours" is not a duration'],
    ['leaderboard.direction', 'up', '"up" is not known'],
    ['checkpoint.emission', () => [], 'is not an object'],
    ['checkpoint.emission.parameters', [35, 10], 'is not an object'],
    ['checkpoint.emission.parameters', { from: new Date(0) }, 'checkpoint.emission.parameters.from is a Date'],
    ['checkpoint.emission.shares', [35, 10], 'is not a function'],
  ])('reports that %s cannot be %j', (path, value, cause) => {
    expect(findings(withValue(path, value))).toEqual([expect.stringContaining(`  - ${path}: ${cause}`)])
  })

  test('reports that the band of a gate is 0 or missing', () => {
    expect(findings(withValue('feed.gate.agree', { with: 'ETHUSDT', within: 0 }))).toEqual([
      '  - feed.gate.agree.within: is not a number above 0; write a ratio, such as 0.01 for 1 %',
    ])
    expect(findings(withValue('feed.gate.agree', {}))).toHaveLength(2)
  })

  test('accepts all optional parts', () => {
    const whole = changedContract({
      feed: [{ ...feed, gate }],
      prediction: {
        schedule: [{ key: 'k', subject: 'BTCUSDT', every: '1m', horizon: '5m', step: '1m', on: 'clock' }],
        missing: () => null,
        call: { tick: false, predict: 'forecast', arguments: () => [] },
      },
      truth: { maxStaleness: '1m', expire: '1h', records: true },
      score: { unit: '°C' },
    })
    expect(checkShape(whole)).toEqual([])
    expect(checkShape(changedContract({ prediction: { missing: 'exclude', call: { tick: 'observe' } } }))).toEqual([])
  })

  test('does not call functions of a contract with the wrong form', () => {
    const compute = () => {
      throw new Error('must not be called')
    }
    const candidate = changedContract({ score: { compute, schema: 'number' } })
    expect(checkContract(candidate).map(({ path }) => path)).toEqual(['score.schema'])
  })
})
