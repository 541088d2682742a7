import { describe, expect, test } from 'vitest'
import type { Checkpoint } from './checkpoint-data.ts'
import { withCheckpoint } from './checkpoint-list.ts'
import { floorText } from './floor-text.ts'
import { canActHere, nextMove, paymentBlock, transactionProblem } from './next-move.ts'

const meta = {
  emission_reason: null,
  refusals: [],
  acknowledged_by: null,
  registry_problem: null,
  unmapped_model_ids: [],
}
const payout = (changes: object = {}, status: Checkpoint['status'] = 'PENDING') =>
  ({ id: 'CKP_1', status, meta: { ...meta, ...changes } }) as unknown as Checkpoint

test('a payout moves one step at a time, and an empty one never', () => {
  const steps = (['PENDING', 'SUBMITTED', 'CLAIMABLE', 'PAID'] as const).map((status) => nextMove(payout({}, status)))
  expect(steps).toEqual(['SUBMITTED', 'CLAIMABLE', 'PAID', null])
  expect(nextMove(payout({ emission_reason: 'floor_unknown' }))).toBeNull()
})

test('a payment waits for the acceptance of refused results, then for the registry and wallets', () => {
  const refusals = [{ what: 'scores', count: 2, of: 9, reason: 'NaN' }]
  expect(paymentBlock(payout({ refusals, unmapped_model_ids: ['a'] }))?.command).toContain('CKP_1 --acknowledged-by')
  const accepted = payout({ refusals, acknowledged_by: 'Ada', unmapped_model_ids: ['a', 'b'] })
  expect(paymentBlock(accepted)?.text).toContain('2 winners')
  const unread = payout({ registry_problem: 'it does not answer', unmapped_model_ids: ['a'] })
  expect(paymentBlock(unread)?.text).toContain('it does not answer')
  expect(paymentBlock(payout())).toBeNull()
})

test('actions are offered with a key, and without one on the machine of the node', () => {
  expect(canActHere('', 'example.org')).toBe(false)
  expect(canActHere('', '127.example.org')).toBe(false)
  expect(canActHere('ck_1', 'example.org')).toBe(true)
  for (const host of ['localhost', '127.0.0.1', '[::1]']) expect(canActHere('', host)).toBe(true)
})

test('a floor without a value is unknown, or was not needed, as the payout says', () => {
  const text = (floor: number | null, emission_reason: Checkpoint['meta']['emission_reason']) =>
    floorText({ floor, emission_reason }).value
  expect([text(0.25, null), text(null, null)]).toEqual(['0.25', 'none'])
  expect([text(null, 'floor_unknown'), text(null, 'no_payable_model')]).toEqual(['unknown', 'not stored'])
})

describe('the id of a transaction', () => {
  test.each(['', '0x12', `${'2'.repeat(87)}l`, '2'.repeat(63), '2'.repeat(89)])('cannot be %j', (text) => {
    expect(transactionProblem(text)).not.toBeNull()
  })
  test('can be 88 digits of base58', () => expect(transactionProblem('2'.repeat(88))).toBeNull())
})

test('an event replaces a payout of the list, or adds a new one in the order of periods', () => {
  const at = (id: string, hour: string, status = 'PENDING') =>
    ({ id, status, period_end: `2026-03-01T${hour}:00:00.000Z` }) as Checkpoint
  const list = [at('b', '12'), at('a', '11')]
  expect(withCheckpoint(list, at('a', '11', 'PAID')).map(({ id, status }) => `${id} ${status}`)).toEqual([
    'b PENDING',
    'a PAID',
  ])
  expect(withCheckpoint(list, at('c', '13')).map(({ id }) => id)).toEqual(['c', 'b', 'a'])
})
