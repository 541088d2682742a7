import { expect, test } from 'vitest'
import { type Column, sortRows } from './data-table.tsx'

interface Row {
  readonly name: string
  readonly value: number | null
}

const columns: readonly Column<Row>[] = [
  { key: 'value', title: 'Value', width: '1fr', cell: () => null, order: ({ value }) => value },
  { key: 'name', title: 'Name', width: '1fr', cell: () => null, order: ({ name }) => name },
  { key: 'fixed', title: 'Fixed', width: '1fr', cell: () => null },
]
const rows: readonly Row[] = [
  { name: 'b', value: null },
  { name: 'c', value: 1 },
  { name: 'ä', value: 2 },
  { name: 'a', value: 1 },
]
const sorted = (key: string, isDescending: boolean) =>
  sortRows(rows, columns, { key, isDescending }).map(({ name }) => name)

test('rows without a value come last in both directions, and equal ones keep their order', () => {
  expect(sorted('value', false)).toEqual(['c', 'a', 'ä', 'b'])
  expect(sorted('value', true)).toEqual(['ä', 'c', 'a', 'b'])
})

test('names are in the order of the alphabet, not of their codes', () => {
  expect(sorted('name', false)).toEqual(['a', 'ä', 'b', 'c'])
})

test('a column without an order and an unknown one change nothing', () => {
  expect(sorted('fixed', true)).toEqual(['b', 'c', 'ä', 'a'])
  expect(sorted('what', true)).toEqual(['b', 'c', 'ä', 'a'])
})
