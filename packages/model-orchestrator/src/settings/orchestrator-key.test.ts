import { chmod, mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { openOrchestratorKey, orchestratorKeyFileIn, readOrchestratorKey } from './orchestrator-key.ts'

let directory: string
let path: string
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'key-'))
  path = orchestratorKeyFileIn(directory)
})
afterEach(() => rm(directory, { recursive: true, force: true }))

it('is created at the first start, readable only by its user, and reused at the next', async () => {
  expect(readOrchestratorKey(path)).toBeUndefined()
  const mask = process.umask(0)
  const key = openOrchestratorKey(directory)
  process.umask(mask)
  expect(key).toMatch(/^[\w-]{43}$/)
  expect((await stat(path)).mode & 0o777).toBe(0o600)
  expect([openOrchestratorKey(directory), readOrchestratorKey(path)]).toEqual([key, key])
})

it('is replaced if other users could have read it', async () => {
  const key = openOrchestratorKey(directory)
  await chmod(path, 0o644)
  const next = openOrchestratorKey(directory)
  expect(next).not.toBe(key)
  expect((await stat(path)).mode & 0o777).toBe(0o600)
  expect((await readFile(path, 'utf8')).trim()).toBe(next)
})

it('is refused if it is empty or truncated', async () => {
  for (const text of ['', 'short']) {
    await writeFile(path, text, { mode: 0o600 })
    expect(() => openOrchestratorKey(directory)).toThrow(/orchestrator-key: .*too short/)
  }
})
