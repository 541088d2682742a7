import { expect, it } from 'vitest'
import { freeId } from './host-model.ts'

it.each([
  ['the name of the model', [], 'trend'],
  ['a new name, if another model has it', ['1', 'trend'], 'trend-2'],
  ['a new name, if a baseline has it in other letters', ['Trend ', 'trend-2'], 'trend-3'],
])('a model that is tested has as id %s', (_, taken, id) => {
  expect(freeId('trend', taken)).toBe(id)
})
