import { describe, expect, it, test } from 'vitest'
import { axisTicks, tickText } from './axis-ticks.ts'
import { stripLayout } from './strip-layout.ts'

describe('the layout of a strip plot', () => {
  it('puts every value into the column of its place, or beside the axis', () => {
    const { low, high, columns } = stripLayout([3, 1, 2, 1], [], 3)
    expect([low, high]).toEqual([0.94, 3.06])
    expect(columns).toEqual([[1, 3], [2], [0]])
  })

  it('is not stretched by a few values far away, which are counted, but by the truth', () => {
    const values = [1, 2, 3, 4, 5, 1e9, -1e9]
    const plain = stripLayout(values, [], 10)
    expect([plain.below, plain.above]).toEqual([[6], [5]])
    expect(plain.high).toBeLessThan(6)
    expect(stripLayout(values, [50], 10).high).toBeGreaterThan(50)
    expect(plain.columns.flat()).toEqual([0, 1, 2, 3, 4])
  })

  it.each([[[]], [[7, 7, 7]], [[0]], [[-5]]])('has an axis for %j', (values) => {
    const { low, high, columns } = stripLayout(values, [], 4)
    expect(high).toBeGreaterThan(low)
    expect(columns.flat()).toHaveLength(values.length)
  })
})

test('an axis has round values, with the digits that tell them apart', () => {
  expect(axisTicks(0.13, 0.98, 5)).toEqual([0.2, 0.4, 0.6000000000000001, 0.8])
  const ticks = axisTicks(61_580, 61_790, 4)
  expect(ticks.map(tickText(ticks))).toEqual(['61,600', '61,700'])
  const small = axisTicks(-0.0011, 0.0012, 4)
  expect(small.map(tickText(small))).toEqual(['−0.001', '0.000', '0.001'])
  expect(axisTicks(1, 1, 4)).toEqual([1])
})
