import { readFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { expect, it } from 'vitest'
import { whenMissing } from './system-error-code.ts'

it('replaces what is missing by a value, and nothing else', async () => {
  const absent = readFile('/no/such/file', 'utf8')
  expect(await absent.catch(whenMissing(undefined))).toBeUndefined()
  expect(await readFile(tmpdir()).catch(whenMissing('a folder', ['ENOENT', 'EISDIR']))).toBe('a folder')
  await expect(readFile(tmpdir()).catch(whenMissing(undefined))).rejects.toMatchObject({ code: 'EISDIR' })
  const fault = new TypeError('a fault of the program')
  expect(() => whenMissing([])(fault)).toThrow(fault)
})
