import { expect, it } from 'vitest'
import { createAnswerBudget } from './answer-budget.ts'

const mebibyte = 1024 * 1024

it('lets huge answers take room only from each other, until their dispatch is over', () => {
  // Each of ten models has 4 MiB reserved; 40 MiB go to the first answers. An even part of the whole is 8 MiB.
  const budget = createAnswerBudget({ maxBytes: 80 * mebibyte, modelCount: () => 10 })
  const first = budget.open()
  expect(first.take('huge', 30 * mebibyte)).toBe('taken')
  expect(first.take('huge too', 30 * mebibyte)).toBe('too-much')
  for (const id of ['huge too', 'a', 'b', 'c']) expect(first.take(id, 4 * mebibyte)).toBe('taken')
  const second = budget.open()
  expect(second.take('huge', 11 * mebibyte)).toBe('too-much')
  expect(second.take('a', 4 * mebibyte)).toBe('taken')
  expect(second.take('b', 4 * mebibyte)).toBe('taken')
  expect(second.take('c', 4 * mebibyte)).toBe('no-room')
  expect(second.take('c', 1000)).toBe('taken')
  first.release()
  expect(second.take('huge', 30 * mebibyte)).toBe('taken')
  expect(second.take('c', 4 * mebibyte)).toBe('taken')
})

it('distinguishes a model that would hold more than an even part from one without room because of others', () => {
  const budget = createAnswerBudget({ maxBytes: 80 * mebibyte, modelCount: () => 10 })
  budget.open().take('huge', 39 * mebibyte)
  const dispatch = budget.open()
  expect(dispatch.take('a', 8 * mebibyte)).toBe('no-room')
  expect(dispatch.take('a', 8 * mebibyte + 1)).toBe('too-much')
  expect(dispatch.take('a', 4 * mebibyte)).toBe('taken')
  expect(dispatch.take('a', 4 * mebibyte)).toBe('no-room')
  expect(dispatch.take('a', 4 * mebibyte + 1)).toBe('too-much')
})

it('accepts no answer for a dispatch that is over', () => {
  const dispatch = createAnswerBudget({ maxBytes: 8 * mebibyte, modelCount: () => 1 }).open()
  dispatch.release()
  expect(dispatch.take('late', mebibyte)).toBe('no-room')
  expect(dispatch.take('late', 1)).toBe('no-room')
})
