import { expect, test } from 'vitest'
import { LastValue, RecentMean, type TrackerBase } from '../src/index.ts'

function answer(Model: new () => TrackerBase, values?: readonly number[]): number {
  const model = new Model()
  if (values !== undefined) model.tick({ subject: 'example', values: [...values] })
  return model.predict('example', 3_600, 3_600).value
}

test.each([LastValue, RecentMean])('%o answers before there are data', (Model) => {
  expect(answer(Model)).toBe(0)
  expect(answer(Model, [])).toBe(0)
})

test('each example answers according to its rule', () => {
  expect(answer(LastValue, [1, 2, 6])).toBe(6)
  expect(answer(RecentMean, [100, 1, 2, 6])).toBe(3)
})
