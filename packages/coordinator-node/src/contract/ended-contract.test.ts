import { expect, test } from 'vitest'
import { changedContract } from '../../test/sample-contract.ts'
import { contractStructure } from './contract-structure.ts'
import { type Emission, tiers } from './defaults/tiers.ts'
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

test('an emission without its code cannot pay', () => {
  const own: Emission = { name: 'winner', shares: (ranked) => ranked.map((_, index) => (index === 0 ? 100 : 0)) }
  expect(paidBy(own, own)).toEqual({ name: 'winner', parameters: {}, shares: own.shares })
  expect(() => paidBy(own, tiers())).toThrow('checkpoint.emission: the ended era is paid by {"name":"winner"}')
})
