import { describe, expect, test } from 'vitest'
import {
  Climatology,
  type ObservedDay,
  Overconfident,
  Persistence,
  predictionLimits,
  SevenDayMean,
  type TrackerBase,
  Trend,
} from '../src/index.ts'

const models: readonly (new () => TrackerBase)[] = [Climatology, Overconfident, Persistence, SevenDayMean, Trend]

/** Days from 2012-01-01 on with these maxima. */
function daysOf(maxima: readonly number[]): ObservedDay[] {
  return maxima.map((tempMax, day) => ({
    date: new Date(Date.UTC(2012, 0, 1 + day)).toISOString().slice(0, 10),
    tempMax,
  }))
}

function answer(Model: new () => TrackerBase, maxima: readonly number[]) {
  const model = new Model()
  model.tick({ subject: 'Seattle', days: daysOf(maxima) })
  return model.predict('Seattle', 86_400, 86_400)
}

describe.each(models.map((Model) => [Model.name, Model] as const))('%s', (_, Model) => {
  test.each([
    ['no tick', undefined],
    ['no day', []],
    ['one day', [10]],
    ['two days', [10, 12]],
    ['constant days', Array.from({ length: 30 }, () => 10)],
    ['jumping days', Array.from({ length: 30 }, (_, day) => (day % 2 === 0 ? 40 : -40))],
    ['ever rising heat', Array.from({ length: 30 }, (_, day) => day * 5 - 80)],
  ])('answers within the contract after %s', (_case, maxima) => {
    const model = new Model()
    if (maxima !== undefined) model.tick({ subject: 'Seattle', days: daysOf(maxima) })
    const { mean, std } = model.predict('Seattle', 86_400, 86_400)
    expect(mean).toBeGreaterThanOrEqual(predictionLimits.lowestMean)
    expect(mean).toBeLessThanOrEqual(predictionLimits.highestMean)
    expect(std).toBeGreaterThanOrEqual(predictionLimits.lowestStd)
    expect(std).toBeLessThanOrEqual(predictionLimits.highestStd)
  })

  test('keeps the cities separate, and gives the same answer to the same data', () => {
    const maxima = [8, 9, 7, 10, 12, 11, 13, 12, 14]
    const model = new Model()
    model.tick({ subject: 'Seattle', days: daysOf(maxima) })
    model.tick({ subject: 'New York', days: daysOf([30, 31, 32]) })
    expect(model.predict('Seattle', 86_400, 86_400)).toEqual(answer(Model, maxima))
  })
})

test('each example predicts the mean of its rule', () => {
  const maxima = [0, 10, 12, 14, 16, 18, 20, 22]
  expect(answer(Persistence, maxima).mean).toBe(22)
  expect(answer(Overconfident, maxima)).toEqual({ mean: 22, std: 0.1 })
  expect(answer(SevenDayMean, maxima).mean).toBe(16)
  expect(answer(Trend, maxima).mean).toBeCloseTo(24, 12)
  expect(answer(Climatology, maxima).mean).toBe(14)
})

test('climatology remembers the season of earlier years, and counts a day once', () => {
  const model: TrackerBase = new Climatology()
  const maxima = Array.from({ length: 366 + 200 }, (_, day) =>
    Math.round(15 - 10 * Math.cos((day / 366) * 2 * Math.PI)),
  )
  const days = daysOf(maxima)
  for (let day = 1; day <= days.length; day++) {
    model.tick({ subject: 'Seattle', days: days.slice(Math.max(0, day - 30), day) })
  }
  const again = model.predict('Seattle', 86_400, 86_400)
  expect(Math.abs(again.mean - 25)).toBeLessThan(1)
  model.tick({ subject: 'Seattle', days: days.slice(-30) })
  expect(model.predict('Seattle', 86_400, 86_400)).toEqual(again)
})

test('the spread is wider in changeable weather', () => {
  const calm = Array.from({ length: 30 }, (_, day) => 10 + (day % 2))
  const wild = Array.from({ length: 30 }, (_, day) => 10 + 8 * (day % 2))
  expect(answer(Persistence, wild).std).toBeGreaterThan(answer(Persistence, calm).std + 3)
})
