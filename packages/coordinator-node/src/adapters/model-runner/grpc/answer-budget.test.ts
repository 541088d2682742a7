import { expect, it } from 'vitest'
import { createAnswerBudget } from './answer-budget.ts'

const mebibyte = 1024 * 1024

it('lets huge answers take room from each other alone, until their dispatch is over', () => {
  const budget = createAnswerBudget({ maxBytes: 80 * mebibyte, modelCount: () => 10 })
  const first = budget.open()
  expect(first.take('huge', 30 * mebibyte)).toBe(true)
  expect(first.take('huge too', 30 * mebibyte)).toBe(false)
  // Each of ten models has 4 MiB of its own.
  for (const id of ['huge too', 'a', 'b', 'c']) expect(first.take(id, 4 * mebibyte)).toBe(true)
  const second = budget.open()
  expect(second.take('huge', 11 * mebibyte)).toBe(false)
  expect(second.take('a', 4 * mebibyte)).toBe(true)
  expect(second.take('b', 4 * mebibyte)).toBe(true)
  expect(second.take('c', 4 * mebibyte)).toBe(false)
  expect(second.take('c', 1000)).toBe(true)
  first.release()
  expect(second.take('huge', 30 * mebibyte)).toBe(true)
  expect(second.take('c', 4 * mebibyte)).toBe(true)
})

it('takes nothing for a dispatch that is over', () => {
  const dispatch = createAnswerBudget({ maxBytes: 8 * mebibyte, modelCount: () => 1 }).open()
  dispatch.release()
  expect(dispatch.take('late', mebibyte)).toBe(false)
  expect(dispatch.take('late', 1)).toBe(false)
})
