import { appendFile } from 'node:fs/promises'
import { join } from 'node:path'
import { createTestDatabase, type TestDatabase } from '@crunch/embedded-postgres/test-database'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { openStore, type Store } from '../engine.ts'
import { openWeatherWorkspace, type WeatherWorkspace } from '../local-model/weather-workspace.fixture.ts'

let workspace: WeatherWorkspace
let database: TestDatabase
let store: Store

beforeAll(async () => {
  workspace = await openWeatherWorkspace(1)
  database = await createTestDatabase()
  await appendFile(join(workspace.directory, 'node/.env'), `DATABASE_URL="${database.url}"\n`)
  store = await openStore({ url: database.url })
})

afterAll(async () => {
  await store?.close()
  await database?.drop()
  await workspace?.remove()
})

const keys = (...argv: readonly string[]) => workspace.run(['keys', ...argv])
const listed = async (...argv: readonly string[]) => JSON.parse((await keys('list', '--json', ...argv)).out)

it('creates, lists, rotates and revokes keys; a key is printed once, and only its hash is stored', async () => {
  expect((await keys('list')).out).toContain('There are no keys: reads are open')
  const made = await keys('create', 'payout', '--scope', 'admin')
  expect(made).toMatchObject({ exitCode: 0, out: expect.stringMatching(/^crunch_[0-9a-f]{8}_[\w-]{43}$/) })
  const alice = await keys('create', 'alice', '--scope', 'participant:alice', '--json')
  expect(alice.err).toContain('no model of a cruncher with the id alice has been set up yet')
  expect(JSON.parse(alice.out)).toMatchObject({ scope: 'participant:alice', key: expect.stringMatching(/^crunch_/) })
  const table = await keys('list')
  expect(table.out).toMatch(/payout +│ admin/)
  const secrets = [made.out, JSON.parse(alice.out).key].map((key: string) => key.slice('crunch_12345678_'.length))
  for (const secret of secrets) {
    expect(table.out).not.toContain(secret)
    expect(JSON.stringify(await store.apiKeys())).not.toContain(secret)
  }

  const rotated = await keys('rotate', 'payout', '--overlap', '1h')
  expect(rotated.out).not.toBe(made.out)
  expect(rotated.err).toContain('The old key is valid for another 1h.')
  const [first, , second] = await listed()
  expect([first, second]).toMatchObject([
    { name: 'payout', scope: 'admin', end_reason: 'rotated', is_valid: true },
    { name: 'payout', scope: 'admin', end_reason: null, is_valid: true },
  ])
  expect((await keys('rotate', 'alice', '--overlap', '0')).err).toContain('The old key has ended.')
  expect(await listed()).toHaveLength(3)

  expect(await keys('revoke', 'payout')).toMatchObject({
    out: expect.stringContaining('Revoked 2 keys payout'),
    err: '',
  })
  expect((await listed()).map(({ name }: { name: string }) => name)).toEqual(['alice'])
  expect(await listed('--all')).toHaveLength(4)
  const last = await keys('revoke', 'alice')
  expect(last.err).toContain('warning: no key is left')
})

it.each([
  [['create', 'twice', '--scope', 'read'], 'a key with this name exists', 'crunch keys rotate twice'],
  [['create', 'a b', '--scope', 'read'], 'the name is not valid', 'use 1 to 64 letters'],
  [['create', 'x', '--scope', 'write'], 'there is no such scope', 'use read, admin, or participant:CRUNCHER'],
  [['create', 'x', '--scope', 'participant:'], 'there is no such scope', 'participant:CRUNCHER'],
  [['rotate', 'twice', '--overlap', '1 day'], 'this is not a duration', '30m, 24h or 7d'],
  [['rotate', 'twice', '--overlap', '400d'], 'up to 366 days', '30m'],
  [['rotate', 'twise'], 'no valid key has this name', 'did you mean twice?'],
  [['revoke', 'twise'], 'no valid key has this name', 'did you mean twice?'],
])('%j is refused: %s', async (argv, cause, fix) => {
  await keys('create', 'twice', '--scope', 'read')
  const before = await store.apiKeys()
  const { exitCode, err } = await keys(...argv)
  expect(exitCode).toBe(1)
  expect(err).toContain(cause)
  expect(err).toContain(fix)
  expect(await store.apiKeys()).toEqual(before)
})
