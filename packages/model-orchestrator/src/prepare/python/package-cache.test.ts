import { createHash } from 'node:crypto'
import { mkdtemp, readdir, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { createPackageCache } from './package-cache.ts'

let folder: string

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'packages-'))
})
afterEach(() => rm(folder, { recursive: true }))

const hashOf = (text: string) => createHash('sha256').update(text).digest('hex')

it('rejects a package whose content does not match its hash', async () => {
  const cache = createPackageCache(folder)
  await expect(cache.write(hashOf('honest'), Readable.from([Buffer.from('other')]))).rejects.toThrow(/its SHA-256 is/)
  expect(await readdir(folder)).toEqual([])
})

it('aborts an endless download once it exceeds the cache', async () => {
  let chunks = 0
  function* endless() {
    while (chunks < 1_000) {
      chunks += 1
      yield Buffer.alloc(1_024)
    }
  }
  const cache = createPackageCache(folder, 10_000)
  await expect(cache.write(hashOf('endless'), Readable.from(endless(), { highWaterMark: 1 }))).rejects.toThrow(
    'a package is larger than the whole cache, 10000 bytes',
  )
  expect(chunks).toBeLessThan(100)
  expect(await readdir(folder)).toEqual([])
})
