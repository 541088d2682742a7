import { describe, expect, test } from 'vitest'
import { z } from 'zod'
import { changedContract, market } from '../../test/sample-contract.ts'
import { contractStructure, structureDifferences } from './contract-structure.ts'
import { endedContract } from './ended-contract.ts'

const structureOf = (prediction: object) => contractStructure(changedContract({ prediction }), 'organizer')

describe('prediction.maxValues in the structure', () => {
  const plain = z.object({ value: z.number() })
  const rows = z.union(Array.from({ length: 6 }, (_, index) => z.object({ [`field${index}`]: z.number() })))
  const sixForms = z.object({ value: z.number(), rows: z.array(rows) })

  test.each([
    ['10,000', plain, 10_000],
    ['less for a schema that checks each value in six forms', sixForms, 5_000],
  ])('is left out if it is the default: %s', (_, schema, usual) => {
    expect(structureOf({ schema, maxValues: usual })).toEqual(structureOf({ schema }))
    for (const maxValues of [usual - 1, usual + 1]) {
      expect(structureOf({ schema, maxValues })).toMatchObject({ prediction: { maxValues } })
    }
  })

  test('is stored if it is the default of other schemas only', () => {
    expect(structureOf({ schema: sixForms, maxValues: 10_000 })).toMatchObject({ prediction: { maxValues: 10_000 } })
  })
})

test('every option that changes results is in the structure, with lengths in a canonical form', () => {
  const contract = changedContract({
    feed: { ...market, gate: { frozenAfter: 30 } },
    prediction: {
      schema: z.object({ side: z.enum(['up', 'down']), kind: z.literal('move') }),
      missing: () => null,
      call: { tick: false, predict: 'forecast', arguments: () => [] },
    },
    truth: { maxStaleness: '60s', expire: '60m', records: true },
    snapshot: { metrics: undefined },
    baselines: ['zero', 'flat'],
  })
  expect(contractStructure(contract, 'organizer')).toMatchObject({
    feed: { 'binance:BTCUSDT:candle:1m': { gate: { frozenAfter: 30 } } },
    prediction: {
      schema: { properties: { side: { enum: ['up', 'down'] }, kind: { const: 'move' } } },
      missing: 'function',
      call: { tick: false, predict: 'forecast', arguments: 'function' },
    },
    truth: { maxStaleness: '1m', expire: '1h', records: true },
    snapshot: { every: '10m' },
    baselines: ['flat', 'zero'],
  })
})

test('absent and empty options are left out', () => {
  const plain = contractStructure(changedContract({}), 'organizer')
  expect(contractStructure(changedContract({ baselines: [] }), 'organizer')).toEqual(plain)
  expect(plain).not.toHaveProperty('baselines')
  expect(contractStructure(changedContract({ snapshot: { metrics: [] } }), 'organizer')).toHaveProperty('snapshot', {
    every: '10m',
  })
})

describe('functions that rank', () => {
  const own = changedContract({ leaderboard: { aggregate: () => 1, rank: () => [] } })
  const structure = contractStructure(own, 'organizer')

  test('are a part of the structure, as such: to begin or end with one begins an era', () => {
    const usual = contractStructure(changedContract({}), 'organizer')
    expect(structureDifferences(usual, structure)).toEqual([
      { path: 'leaderboard.aggregate', stored: undefined, current: 'function' },
      { path: 'leaderboard.rank', stored: undefined, current: 'function' },
    ])
    expect(
      contractStructure(changedContract({ leaderboard: { aggregate: () => 2, rank: () => [] } }), 'organizer'),
    ).toEqual(structure)
  })

  test('close an ended era that used them, and no other', () => {
    expect(endedContract(own, structure).leaderboard).toEqual(own.leaderboard)
    const usual = contractStructure(changedContract({}), 'organizer')
    expect(Object.keys(endedContract(own, usual).leaderboard)).not.toContain('rank')
    expect(() => endedContract(changedContract({ leaderboard: { aggregate: () => 1 } }), structure)).toThrow(
      /^leaderboard\.rank: the ended era is ranked by that function, which the contract no longer has/,
    )
  })
})
