import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { beginRetirement, endRetirement, isRetired, type Retirement, retirementAt, takesPart } from './model.ts'

const span = (from: number, until: number | null): Retirement => ({ from, until, reason: `from ${from}` })

describe('a retirement', () => {
  test('includes its first instant and excludes its last', () => {
    const model = { retirements: [span(10, 20), span(30, null)] }
    expect([9, 10, 19, 20, 29, 30, 1_000].map((at) => isRetired(model, at))).toEqual(
      [false, true, true, false, false, true, true], // biome-ignore format: in the order above
    )
    expect(retirementAt(model, 31)?.reason).toBe('from 30')
  })

  test('excludes the model from rounds, like a later registration', () => {
    const model = { registeredAt: 5, retirements: [span(10, 20)] }
    expect([4, 5, 9, 10, 20].map((at) => takesPart(model, at))).toEqual([false, true, true, false, true])
  })

  test('does not affect instants before its begin or end', () => {
    const steps = fc.array(fc.tuple(fc.boolean(), fc.nat(100)), { maxLength: 12 })
    fc.assert(
      fc.property(steps, fc.nat(100), (taken, asked) => {
        let retirements: readonly Retirement[] = []
        for (const [begins, at] of taken) {
          const before = retirements
          retirements = begins ? beginRetirement(before, at, 'removed') : endRetirement(before, at)
          if (asked < at) expect(isRetired({ retirements }, asked)).toBe(isRetired({ retirements: before }, asked))
          expect(isRetired({ retirements }, Number.MAX_SAFE_INTEGER)).toBe(begins)
        }
        const instants = retirements.flatMap(({ from, until }) => [from, until ?? Infinity])
        expect(instants).toEqual([...instants].sort((left, right) => left - right))
      }),
    )
  })
})
