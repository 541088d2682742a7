import { describe, expect, test } from 'vitest'
import { emissionRule, floorRule, gateRules, newcomerRule, type Rules, span } from './rule-text.ts'

test('a length of time is exact', () => {
  expect([90, 300, 0.25, 604_800, 90_061, 0].map(span)).toEqual([
    '1 min 30 s',
    '5 min',
    '250 ms',
    '7 d',
    '1 d 1 h 1 min 1 s',
    '0 s',
  ])
})

describe('a payout is divided', () => {
  test.each([
    [{ name: 'tiers', parameters: { percentages: [35, 10, 10, 5, 40] } }, /^By place: 35 %, 2 × 10 %, 5 %, 40 %\./],
    [{ name: 'proportional', parameters: {} }, /better a value is than the floor, or than 0/],
    [{ name: 'proportional', parameters: { zeroAt: 0.5 } }, /better a value is than 0\.5\./],
    [{ name: 'softmax', parameters: { temperature: 0.01 } }, /a value 0\.01 below another/],
    [{ name: 'mine', parameters: null }, /own rule, named mine/],
  ])('by %j', (emission, text) => {
    expect(emissionRule(emission, 'asc')).toMatch(text)
  })
})

test('a floor is a baseline or a value', () => {
  expect(floorRule(null)).toBeNull()
  expect(floorRule({ baseline: 'flat', value: null })).toBe(
    'its value is strictly better than that of the baseline “flat” in the same period',
  )
  expect(floorRule({ baseline: null, value: 0.25 })).toBe('its value is strictly better than 0.25')
})

test('a gate names each of its reasons', () => {
  expect(gateRules(null)).toEqual([])
  const gate = {
    frozen_after: 5,
    max_jump: { field: 'close', limit: 0.1 },
    agree: { field: 'close', within: 0.005, with: 'binance:ETHUSDT:candle:1m close' },
  }
  expect(gateRules(gate)).toEqual([
    '5 records in a row are the same',
    'close jumps by more than 10 % from one record to the next',
    'close differs from binance:ETHUSDT:candle:1m close by more than 0.5 %',
  ])
})

test('a newcomer waits for its coverage only where the contract says so', () => {
  const ranking = { newcomers: 'wait', min_coverage: 0.8 } as Rules['ranking']
  expect(newcomerRule(ranking)).toContain('80.0 %')
  expect(newcomerRule({ ...ranking, newcomers: 'own' })).not.toContain('%')
})
