import { expect, test } from 'vitest'
import { createLongAbsence } from './long-absence.ts'

const hourMs = 3_600_000

test('retires a model after a day without a run; a run or a new session restarts the day', () => {
  let hours = 0
  const absence = createLongAbsence(() => hours * hourMs)
  const reasonAt = (at: number) => {
    hours = at
    return absence.retirementOf('a')
  }
  expect(reasonAt(0)).toBeNull()
  expect(reasonAt(23.9)).toBeNull()
  absence.serving('a')
  expect(reasonAt(30)).toBeNull()
  absence.begin()
  expect(reasonAt(55)).toBeNull()
  expect(reasonAt(78.9)).toBeNull()
  expect(reasonAt(79)).toBe('it has not run for 24 h')
  expect(absence.retirementOf('b')).toBeNull()
})

test('does not count days of a replay', () => {
  const absence = createLongAbsence()
  // The result depends on neither the number of rounds nor the days of the recording in between.
  for (let round = 0; round < 10_000; round += 1) expect(absence.retirementOf('a')).toBeNull()
})
