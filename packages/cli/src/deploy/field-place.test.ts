import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { placeOfField } from './field-place.ts'

let root: string
let path: string

beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), 'crunch-field-'))
  path = join(root, 'node/contract.ts')
  await mkdir(join(root, 'node'))
  const lines = [
    'export default defineContract({',
    '  input: {',
    '    build: ({ records }) => ({',
    '      days: records.map((record) => ({',
    '        tempMax: record.values.temp,',
    '      })),',
    '    }),',
    '    other: 1,',
    '  },',
  ]
  await writeFile(path, lines.join('\n'))
})
afterAll(() => rm(root, { recursive: true }))

it.each([
  ['a field by its line', 'days.0.tempMax', 'node/contract.ts:5'],
  ['a list by its line', 'days.0', 'node/contract.ts:4'],
  ['a field that the function does not write', 'other', null],
  ['a field of a value that was written elsewhere', 'days.0.tempMin', null],
])('finds %s', (_name, field, place) => {
  const reason = `input.build at node/contract.ts:3 returned what input.schema refuses: ${field}: Invalid input; x: y`
  expect(placeOfField(reason, path)).toBe(place)
})

it('finds a field in a folder whose name has blanks', async () => {
  const folder = join(root, 'my node')
  await mkdir(folder)
  await writeFile(join(folder, 'contract.ts'), 'build: () => ({\n  tempMax: 1,\n}),')
  const reason = 'input.build at my node/contract.ts:1 returned what input.schema refuses: tempMax: Invalid input'
  expect(placeOfField(reason, join(folder, 'contract.ts'))).toBe('my node/contract.ts:2')
})

it('leaves alone what another file returned, and what was thrown', () => {
  const elsewhere = 'input.build at node/other.ts:3 returned what input.schema refuses: days.0.tempMax: Invalid input'
  expect(placeOfField(elsewhere, path)).toBeNull()
  expect(placeOfField('score.compute failed at node/contract.ts:3: no such field', path)).toBeNull()
})
