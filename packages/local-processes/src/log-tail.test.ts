import { execFileSync } from 'node:child_process'
import { mkdtemp, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { loggedServices, readTailLines } from './log-tail.ts'

let folder: string

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'crunch-log-tail-'))
})

afterAll(() => rm(folder, { recursive: true, force: true }))

it('reads the last whole lines within the bounds', async () => {
  const path = join(folder, 'score.log')
  await writeFile(path, 'one\ntwo\nthree\nunfinished')
  expect(await readTailLines(path, { maxBytes: 100 })).toEqual(['one', 'two', 'three'])
  expect(await readTailLines(path, { maxBytes: 100, count: 2 })).toEqual(['two', 'three'])
  expect(await readTailLines(path, { maxBytes: 19 })).toEqual(['three'])
  expect(await readTailLines(path, { maxBytes: 5 })).toEqual([])
})

it('follows no link, waits for no pipe, and knows that a file is gone', async () => {
  await symlink(join(folder, 'score.log'), join(folder, 'link.log'))
  execFileSync('mkfifo', [join(folder, 'pipe.log')])
  for (const name of ['link.log', 'pipe.log', 'gone.log']) {
    expect(await readTailLines(join(folder, name), { maxBytes: 100 })).toBeUndefined()
  }
  expect(await loggedServices(folder)).toEqual(['score'])
})
