import fc from 'fast-check'
import { expect, test } from 'vitest'
import { addressProblem, transactionIdProblem } from './base58.ts'

const digits = '123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz'

/** The usual encoder, which shares no code with the decoder. */
function base58(bytes: Uint8Array): string {
  let value = BigInt(`0x0${Buffer.from(bytes).toString('hex')}`)
  let text = ''
  for (; value > 0n; value /= 58n) text = `${digits[Number(value % 58n)]}${text}`
  const zeros = bytes.findIndex((byte) => byte !== 0)
  return '1'.repeat(zeros < 0 ? bytes.length : zeros) + text
}

test('the id of a transaction has 64 bytes, and an address 32, also with leading zeros', () => {
  const bytes = fc.oneof(
    fc.uint8Array({ minLength: 1, maxLength: 70 }),
    fc.uint8Array({ minLength: 64, maxLength: 64 }),
  )
  fc.assert(
    fc.property(bytes, fc.nat({ max: 3 }), (given, zeros) => {
      const padded = given.map((byte, index) => (index < zeros ? 0 : byte))
      const text = base58(padded)
      const isSigned = padded.some((byte) => byte !== 0)
      expect(transactionIdProblem(text) === null).toBe(padded.length === 64 && isSigned)
      expect(addressProblem(text) === null).toBe(padded.length === 32)
    }),
  )
})

test('the system program and a known wallet are addresses', () => {
  expect(addressProblem('11111111111111111111111111111111')).toBeNull()
  expect(addressProblem('EPjFWdd5AufqSSqeM2qN1xzybapC8G4wEGGkZwyTDt1v')).toBeNull()
})

test.each([
  ['', 'has 0 bytes, not 64'],
  ['5x', 'has 2 bytes, not 64'],
  ['1'.repeat(64), 'is the empty signature, which no transaction has'],
  ['0'.repeat(88), 'has characters that are not base58: letters and digits without 0, O, I and l'],
  [` ${'2'.repeat(87)}`, 'has characters that are not base58: letters and digits without 0, O, I and l'],
  ["'; drop table checkpoints; --", 'has characters that are not base58: letters and digits without 0, O, I and l'],
  ['z'.repeat(88), 'has 65 bytes, not 64'],
  ['2'.repeat(10_000_000), 'is longer than 64 bytes in base58'],
])('%.40s is no id of a transaction: it %s', (text, problem) => {
  expect(transactionIdProblem(text)).toBe(problem)
})
