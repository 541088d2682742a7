import { describe, expect, test } from 'vitest'
import { Coin, Flat, MeanReversion, Momentum, type TrackerBase, VolatilityScaled } from '../src/index.ts'

const models: readonly (new () => TrackerBase)[] = [Coin, Flat, MeanReversion, Momentum, VolatilityScaled]
const rising = Array.from({ length: 120 }, (_, bar) => 100 * 1.0005 ** bar)

/** The answer for BTCUSDT after one tick. */
function answer(Model: new () => TrackerBase, closes: number[], subject = 'BTCUSDT'): number {
  const model = new Model()
  model.tick({ subject, closes })
  return model.predict(subject, 300, 60).value
}

describe.each(models.map((Model) => [Model.name, Model] as const))('%s', (_, Model) => {
  test.each([
    ['no tick', undefined],
    ['no close', []],
    ['one close', [100]],
    ['two closes', [100, 101]],
    ['a constant market', Array.from({ length: 120 }, () => 100)],
    ['a jumping market', [...rising, 50, 500]],
  ])('answers within the contract after %s', (_case, closes) => {
    const model = new Model()
    if (closes !== undefined) model.tick({ subject: 'BTCUSDT', closes })
    const { value } = model.predict('BTCUSDT', 300, 60)
    expect(value).toBeGreaterThanOrEqual(-1)
    expect(value).toBeLessThanOrEqual(1)
  })

  test('gives the same answer to the same data, regardless of other subjects', () => {
    const model = new Model()
    model.tick({ subject: 'BTCUSDT', closes: rising })
    model.tick({ subject: 'ETHUSDT', closes: rising.toReversed() })
    expect(model.predict('BTCUSDT', 300, 60).value).toBe(answer(Model, rising))
  })
})

test('the examples disagree about a rising market', () => {
  expect(answer(Momentum, rising)).toBeGreaterThan(0.5)
  expect(answer(MeanReversion, rising)).toBeLessThan(-0.2)
  expect(answer(Flat, rising)).toBe(0)
  expect(answer(VolatilityScaled, rising)).toBeCloseTo(1, 6)
})

test('volatility-scaled takes a smaller position in a more volatile market', () => {
  const wild = Array.from({ length: 120 }, (_, bar) => 100 * 1.0005 ** bar * (bar % 2 === 0 ? 1 : 1.01))
  expect(Math.abs(answer(VolatilityScaled, wild))).toBeLessThan(0.2)
})

test('the coin is uniformly distributed', () => {
  const draws = Array.from({ length: 2_000 }, (_, draw) => answer(Coin, [100 + draw / 100]))
  const mean = draws.reduce((sum, value) => sum + value, 0) / draws.length
  expect(Math.abs(mean)).toBeLessThan(0.05)
  expect(draws.filter((value) => Math.abs(value) < 0.5).length / draws.length).toBeCloseTo(0.5, 1)
})
