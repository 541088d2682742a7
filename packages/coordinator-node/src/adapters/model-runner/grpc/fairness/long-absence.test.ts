import { expect, test } from 'vitest'
import { createLongAbsence } from './long-absence.ts'

const hourMs = 3_600_000

test('a model retires after a day without a run; a run or another session begins the day anew', () => {
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

test('a day of a replay is no day without a run', () => {
  const absence = createLongAbsence()
  // However many rounds, and days of the recording, are asked about meanwhile.
  for (let round = 0; round < 10_000; round += 1) expect(absence.retirementOf('a')).toBeNull()
})
