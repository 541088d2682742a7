import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { withDirectoryLock } from './directory-lock.ts'
import { processIdentity } from './process-identity.ts'

let directory = ''
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'crunch-lock-'))
})
afterEach(() => rm(directory, { recursive: true, force: true }))

it('has one holder at a time, even if all callers find the lock of a dead process', async () => {
  await writeFile(join(directory, 'lock.7'), JSON.stringify({ pid: process.pid, identity: 'an earlier process' }))
  let inside = 0
  let entries = 0
  const contenders = Array.from({ length: 25 }, () =>
    withDirectoryLock(directory, 20_000, async () => {
      inside += 1
      expect(inside).toBe(1)
      await new Promise((resolve) => setImmediate(resolve))
      entries += 1
      inside -= 1
    }),
  )
  await Promise.all(contenders)
  expect(entries).toBe(25)
  expect((await readdir(directory)).length).toBeLessThanOrEqual(2)
})

it('names the live holder when the wait times out', async () => {
  const record = { pid: process.pid, identity: processIdentity(process.pid) }
  await writeFile(join(directory, 'lock.1'), JSON.stringify(record))
  await expect(withDirectoryLock(directory, 50, async () => undefined)).rejects.toMatchObject({
    code: 'DIRECTORY_BUSY',
    message: expect.stringContaining(`process ${process.pid}`),
  })
})

it('is released if the action fails', async () => {
  const failing = withDirectoryLock(directory, 1_000, async () => {
    throw new Error('broken')
  })
  await expect(failing).rejects.toThrow('broken')
  expect(await withDirectoryLock(directory, 1_000, async () => 'done')).toBe('done')
})
