import { describe, expect, test } from 'vitest'
import { checkPackage } from './check-package.ts'
import { parseSources } from './source-file.ts'

const check = (files: Readonly<Record<string, string>>, largeFolders = {}) =>
  checkPackage(parseSources(Object.entries(files)), { largeFolders })

describe('the check of a package', () => {
  test('finds files and functions that are too long, except functions in tests', () => {
    const long = `export function run() {\n${'  step()\n'.repeat(69)}}\n`
    expect(check({ 'a.ts': long })).toEqual(['a.ts:1: run has 71 lines, at most 70 are allowed'])
    expect(check({ 'a.ts': long.replace('  step()\n', '') })).toEqual([])
    expect(check({ 'a.test.ts': long })).toEqual([])
    expect(check({ 'a.test.ts': 'step()\n'.repeat(400) })).toEqual([])
    expect(check({ 'a.test.ts': 'step()\n'.repeat(401) })).toEqual([
      'a.test.ts:1: the file has 401 lines, at most 400 are allowed',
    ])
  })

  test('finds a folder of more than 20 source files, except tests and listed folders', () => {
    const files = Object.fromEntries(Array.from({ length: 20 }, (_, index) => [`room/file-${index}.ts`, '']))
    expect(check({ ...files, 'room/file-0.test.ts': '', 'room/inner/a.ts': '' })).toEqual([])
    const more = { ...files, 'room/one-more.ts': '' }
    expect(check(more)).toEqual(['room:1: the folder has 21 source files, at most 20 are allowed'])
    expect(check(more, { room: 'one file per metric' })).toEqual([])
  })

  test('finds a cycle of files, even through type imports', () => {
    const files = {
      'a.ts': "import { b } from './b.ts'",
      'b.ts': "import { c } from './inner/c.ts'",
      'inner/c.ts': "\nimport type { A } from '../a.ts'",
    }
    expect(check(files)).toEqual(['a.ts:1: the import closes a cycle: a.ts → b.ts → inner/c.ts → a.ts'])
    expect(check({ ...files, 'inner/c.ts': '' })).toEqual([])
    expect(check({ 'a.ts': "type A = import('./a.ts').A" })).toHaveLength(1)
  })

  test('finds a cycle of folders without a cycle of files', () => {
    const files = {
      'run/a.ts': "import { b } from '../limit/b.ts'",
      'limit/b.ts': '',
      'limit/c.ts': "import { d } from '../run/d.ts'",
      'run/d.ts': '',
      'index.ts': "export { a } from './run/a.ts'",
    }
    expect(check(files)).toEqual(['run/a.ts:1: the import closes a cycle: run → limit → run'])
    expect(check({ ...files, 'limit/c.ts': "import { b } from './b.ts'" })).toEqual([])
  })

  test('ignores the imports of tests', () => {
    expect(
      check({ 'a.ts': '', 'a.test.ts': "import { b } from './b.test.ts'", 'b.test.ts': "import './a.test.ts'" }),
    ).toEqual([])
  })
})
