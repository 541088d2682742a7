import { expect, test } from 'vitest'
import { changedContract } from '../../test/sample-contract.ts'
import { contractStructure } from './contract-structure.ts'
import { proportional, softmax } from './defaults/by-value.ts'
import type { Emission } from './defaults/emission.ts'
import { tiers } from './defaults/tiers.ts'
import { endedContract } from './ended-contract.ts'

/** The emission that pays an ended era with one emission after the contract has changed to another. */
function paidBy(stored: Emission, current: Emission): Emission {
  const structure = contractStructure(changedContract({ checkpoint: { emission: stored } }), 'organizer')
  return endedContract(changedContract({ checkpoint: { emission: current } }), structure).checkpoint.emission
}

test.each([
  ['none', undefined],
  ['a value', { value: 2 }],
  ['a baseline', { baseline: 'flat' }],
])('an ended era keeps its own floor, %s, regardless of the current contract', (_, payAbove) => {
  const now = { payAbove: { value: 7 } } as const
  const floor = { ...(payAbove && { payAbove }) }
  expect(paidBy(tiers(floor), tiers(now)).payAbove).toEqual(payAbove)
  const changed = paidBy(tiers({ percentages: [60, 40], ...floor }), tiers(now))
  expect(changed.payAbove).toEqual(payAbove)
  expect(changed.parameters).toEqual({ percentages: [60, 40] })
})

test.each([
  ['tiers', tiers([70, 30])],
  ['proportional', proportional()],
  ['proportional above a value', proportional({ zeroAt: 3 })],
  ['softmax', softmax({ temperature: 0.1 })],
])('an ended era is paid by the emission of the engine that it had: %s', (_, stored) => {
  const models = [4, 3.8].map((value, index) => ({ modelId: `${index}`, rank: index + 1, value }))
  const payout = { direction: 'desc', floor: null } as const
  const { shares, parameters } = paidBy(stored, tiers([50, 50]))
  expect([parameters, shares(models, payout)]).toEqual([stored.parameters, stored.shares(models, payout)])
})

test("an author's emission is not taken for one of the engine with its name", () => {
  const own: Emission = { name: 'proportional', parameters: { power: 2 }, shares: () => [100] }
  expect(() => paidBy(own, tiers())).toThrow('whose code the contract no longer has')
})

test('an emission without its code cannot pay', () => {
  const own: Emission = { name: 'winner', shares: (ranked) => ranked.map((_, index) => (index === 0 ? 100 : 0)) }
  expect(paidBy(own, own)).toEqual({ name: 'winner', parameters: {}, shares: own.shares })
  expect(() => paidBy(own, tiers())).toThrow('checkpoint.emission: the ended era is paid by {"name":"winner"}')
})
