import { existsSync } from 'node:fs'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { createFolder } from './create-folder.ts'

let home: string
beforeEach(async () => {
  home = await mkdtemp(join(tmpdir(), 'create-folder-'))
})
afterEach(() => rm(home, { recursive: true }))

test('creates a folder with its parents, and leaves an existing one', async () => {
  const folder = join(home, 'a/b/c')
  await createFolder(folder)
  await writeFile(join(folder, 'file'), 'kept')
  await createFolder(folder)
  expect(existsSync(join(folder, 'file'))).toBe(true)
})

test('refuses a path through or to a file', async () => {
  const file = join(home, 'file')
  await writeFile(file, '')
  await expect(createFolder(file)).rejects.toMatchObject({ code: 'EEXIST' })
  await expect(createFolder(join(file, 'a'))).rejects.toMatchObject({ code: 'ENOTDIR' })
})

test.skipIf(process.platform !== 'linux')('refuses a folder that can hold no folders', async () => {
  await expect(createFolder('/proc/self/nowhere/deeper')).rejects.toMatchObject({ code: 'ENOENT' })
})
