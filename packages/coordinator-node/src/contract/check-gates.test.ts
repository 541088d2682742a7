import { describe, expect, test } from 'vitest'
import { z } from 'zod'
import { changedContract, market, resolvedContract } from '../../test/sample-contract.ts'
import { btc, eth } from '../ports/store-samples.ts'
import { checkContract } from './check-contract.ts'
import { candles, ticks } from './feed-definition.ts'
import { formatFindings } from './finding.ts'

const findings = (...feed: object[]) =>
  formatFindings(checkContract(changedContract({ feed: (feed.length === 1 ? feed[0] : feed) as object })))
    .split('\n')
    .filter(Boolean)

const one = { ...market, subjects: ['BTCUSDT'] }
const other = { ...market, subjects: ['ETHUSDT'] }
const gate = (options: object) => ({ ...one, gate: options })
const values = z.object({ bid: z.number(), ask: z.number(), venue: z.string() })

describe('a gate', () => {
  test('may have all options, or none', () => {
    expect(findings(gate({}))).toEqual([])
    const agree = { with: 'ETHUSDT', within: 0.01 }
    expect(findings(gate({ watch: 'close', frozenAfter: 30, maxJump: 0.1, agree }), other)).toEqual([])
    expect(findings({ ...market, gate: { agree } })).toEqual([])
  })

  test('must watch a numeric value, named unless the kind has a default', () => {
    expect(findings(gate({ watch: 'clos' }))).toEqual([
      '  - feed.gate.watch: records of this feed have no numeric value "clos"; did you mean close?',
    ])
    const quotes = { ...one, kind: 'quote', values }
    expect(findings({ ...quotes, gate: { frozenAfter: 5 } })).toEqual([])
    expect(findings({ ...quotes, gate: { watch: 'bid', maxJump: 0.1 } })).toEqual([])
    expect(findings({ ...quotes, gate: { maxJump: 0.1 } })).toEqual([
      '  - feed.gate.watch: is missing; maxJump and agree need it; write one of bid, ask',
    ])
    expect(findings({ ...quotes, gate: { watch: 'venue' } })).toEqual([
      '  - feed.gate.watch: records of this feed have no numeric value "venue"; write one of bid, ask',
    ])
    const texts = z.object({ venue: z.string() })
    expect(findings({ ...quotes, values: texts, gate: { watch: 'price' } })[0]).toContain(
      'add a numeric value to the feed',
    )
    // The result of a transformation is unknown before it runs.
    const opaque = z.object({ mid: z.number() }).transform((value) => value)
    expect(findings({ ...quotes, values: opaque, gate: { watch: 'mid', maxJump: 0.1 } })).toEqual([])
  })

  test('must agree with exactly one other series of the contract', () => {
    const agree = (options: object, ...others: object[]) =>
      findings(gate({ agree: { within: 0.01, ...options } }), other, ...others)
    expect(agree({ with: 'BTCUSDT' })).toEqual([
      '  - feed[0].gate.agree.with: "BTCUSDT" is this series itself; name another series, or its source',
    ])
    expect(agree({ with: 'ETHUSD' })).toEqual([
      '  - feed[0].gate.agree.with: no feed of the contract has "ETHUSD" of "binance"; did you mean "ETHUSDT"?',
    ])
    expect(agree({ with: 'gold' })).toEqual([
      '  - feed[0].gate.agree.with: no feed of the contract has "gold" of "binance"; the feeds have BTCUSDT, ETHUSDT',
    ])
    const pyth = { ...one, source: 'pyth', subjects: ['BTCUSD'] }
    expect(agree({ with: 'BTCUSD', source: 'pyth' }, pyth)).toEqual([])
    expect(agree({ with: 'BTCUSD' }, pyth)).toEqual([
      `  - feed[0].gate.agree.with: no feed of the contract has "BTCUSD" of "binance"; add source: 'pyth'`,
    ])
    const [fast, slow] = [
      { ...other, kind: 'tick' },
      { ...other, kind: 'tick', granularity: '1s' },
    ]
    expect(findings(gate({ agree: { with: 'ETHUSDT', within: 0.01 } }), fast, slow)[0]).toContain(
      '2 series of the contract are "ETHUSDT" of binance; remove all but one',
    )
    expect(agree({ with: 'ETHUSDT' }, fast, slow)).toEqual([])
  })

  test('must agree with a series that has a number to compare with', () => {
    const quotes = { ...other, kind: 'quote', values }
    const own = gate({ agree: { with: 'ETHUSDT', within: 0.01 } })
    expect(findings(own, quotes)).toEqual([
      '  - feed[0].gate.agree.with: records of "ETHUSDT" have no numeric value "close" to compare with; give that feed gate: { watch: \'bid\' }',
    ])
    expect(findings(own, { ...quotes, gate: { watch: 'ask' } })).toEqual([])
  })
})

describe('a gate with its defaults', () => {
  const gatesOf = (...feed: object[]) => resolvedContract({ feed }).feeds.map((series) => series.gate)
  const options = { source: 'binance', subjects: ['BTCUSDT', 'ETHUSDT'], granularity: '1m' } as const

  test('watches the close of candles and the price of ticks', () => {
    const maxJump = 0.1
    expect(gatesOf(candles({ ...options, gate: { maxJump } }))[0]?.maxJump).toEqual({ watch: 'close', limit: 0.1 })
    expect(gatesOf(ticks({ ...options, gate: { maxJump } }))[0]?.maxJump).toEqual({ watch: 'price', limit: 0.1 })
    expect(gatesOf(candles({ ...options, gate: { watch: 'open', maxJump } }))[0]?.maxJump?.watch).toBe('open')
    expect(gatesOf(candles(options))).toEqual([null, null])
  })

  test('compares each series of a feed with the reference, except the reference itself', () => {
    const agree = { with: 'ETHUSDT', within: 0.01 }
    const [own, reference] = gatesOf(candles({ ...options, gate: { agree, frozenAfter: 9 } }))
    const peer = { scope: eth, watch: 'close', granularityMs: 60_000 }
    expect(own).toEqual({ frozenAfter: 9, maxJump: null, agree: { watch: 'close', within: 0.01, peer } })
    expect(reference).toEqual({ frozenAfter: 9, maxJump: null, agree: null })
  })

  test('compares with the number watched by the other feed, preferring the same kind and granularity', () => {
    const gate = { agree: { with: 'BTCUSDT', source: 'pyth', within: 0.01 } }
    const other = { ...options, source: 'pyth', subjects: ['BTCUSDT'] as const }
    const [own] = gatesOf(candles({ ...options, gate }), ticks({ ...other, granularity: '1s' }))
    expect(own?.agree?.peer).toEqual({
      scope: { ...btc, source: 'pyth', kind: 'tick', granularity: '1s' },
      watch: 'price',
      granularityMs: 1_000,
    })
    const [nearest] = gatesOf(
      candles({ ...options, gate }),
      ticks(other),
      candles({ ...other, gate: { watch: 'low' } }),
    )
    expect(nearest?.agree?.peer).toMatchObject({ scope: { ...btc, source: 'pyth' }, watch: 'low' })
    // A quote has no default number, so the one watched by the gate's own feed is used.
    const quotes = { ...market, source: 'pyth', kind: 'quote', subjects: ['BTCUSDT'] }
    const [withQuotes] = gatesOf(candles({ ...options, gate }), quotes)
    expect(withQuotes?.agree?.peer).toMatchObject({ watch: 'close' })
  })
})
