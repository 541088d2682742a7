import { describe, expect, test } from 'vitest'
import { columnNumbers, counted, exactNumbers, fullNumber, percent, shortNumber } from './numbers.ts'

describe('numbers', () => {
  test.each([
    [0, '0'],
    [1.23456, '1.235'],
    [-0.0123456, '−0.01235'],
    [12345.6, '12,346'],
    [1e-7, '1.00e-7'],
    [-2.5e-7, '−2.50e-7'],
    [3.2e16, '3.20e+16'],
    [null, '–'],
    [Number.NaN, '–'],
  ])('of a table have four significant digits at most: %s is %s', (value, text) => {
    expect(shortNumber(value)).toBe(text)
  })

  test.each([
    [
      [1.23456, 12.3, null],
      ['1.23', '12.30', '–'],
    ],
    [
      [0.001234, -0.5],
      ['0.0012', '−0.5000'],
    ],
    [
      [3, 12_000],
      ['3', '12,000'],
    ],
    [
      [0, 0],
      ['0', '0'],
    ],
    [
      [123_456.789, 0.5],
      ['123,457', '1'],
    ],
  ])('of a column %j have their points below each other', (values, texts) => {
    expect(values.map(columnNumbers(values))).toEqual(texts)
  })

  test.each([
    [1, '100 %'],
    [0.99999, '99.9 %'],
    [0.5, '50.0 %'],
    [0.00001, '<0.1 %'],
    [0, '0 %'],
    [null, '–'],
  ])('are shares that are only complete when nothing is missing: %s is %s', (share, text) => {
    expect(percent(share)).toBe(text)
  })

  test('have all their digits in titles', () => {
    expect(fullNumber(-2.057749112988285)).toBe('−2.057749112988285')
  })

  test('agree with their noun', () => {
    expect([counted(1, 'model'), counted(0, 'model'), counted(1_200, 'model')]).toEqual([
      '1 model',
      '0 models',
      '1,200 models',
    ])
  })

  test('as they are stored keep all digits, with as many decimals as the longest of a column', () => {
    const format = exactNumbers([61_234.5, 0.25, 3, null])
    expect([61_234.5, 0.25, 3, -1, null].map(format)).toEqual(['61,234.50', '0.25', '3.00', '−1.00', '–'])
    expect(exactNumbers([12, 7])(1_234)).toBe('1,234')
  })
})
