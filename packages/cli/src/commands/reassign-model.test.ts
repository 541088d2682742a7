import { appendFile } from 'node:fs/promises'
import { join } from 'node:path'
import { createTestDatabase, type TestDatabase } from '@crunch/embedded-postgres/test-database'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { candles, openCompetition, steady } from '../../../coordinator-node/test/competition.ts'
import { openStore, type Store } from '../engine.ts'
import { openWeatherWorkspace, type WeatherWorkspace } from '../local-model/weather-workspace.fixture.ts'

// The command in its own process, on the database of a running node.

let workspace: WeatherWorkspace
let database: TestDatabase
let store: Store

beforeEach(async () => {
  workspace = await openWeatherWorkspace(1)
  database = await createTestDatabase()
  await appendFile(join(workspace.directory, 'node/.env'), `DATABASE_URL="${database.url}"\n`)
  store = await openStore({ url: database.url })
})

afterEach(async () => {
  await store?.close()
  await database?.drop()
  await workspace?.remove()
})

const reassign = (...argv: readonly string[]) => workspace.crunch(['models', 'reassign', ...argv])

/** Number of rows by model id. */
async function rowCounts(): Promise<Record<string, number>> {
  const rows = await store.predictionReports({ modelIds: [], from: 0, to: Number.MAX_SAFE_INTEGER / 2, limit: 1_000 })
  const counts: Record<string, number> = {}
  for (const { prediction } of rows) counts[prediction.modelId] = (counts[prediction.modelId] ?? 0) + 1
  return counts
}

it('gives an id to another cruncher, whose new history inherits nothing', async () => {
  const models = { a: steady(0.5), b: steady(-0.5) }
  const { drive, runner } = await openCompetition({ models, store })
  await drive(...candles(0, 2))
  runner.connect(models, { a: { cruncherId: 'eve', deploymentId: 'of-eve' } })
  await drive(...candles(3, 4))
  // Refused, until the operator decides.
  expect(await rowCounts()).toEqual({ a: 3, b: 5 })

  const { exitCode, out, err } = await reassign('a', '--to', 'eve')
  expect(exitCode, err).toBe(0)
  expect(out).toContain('Model a belongs to cruncher eve from the next round on, with a new history: a~2.')
  expect(await reassign('a', '--to', 'eve')).toMatchObject({
    exitCode: 0,
    out: 'Model a already belongs to cruncher eve.\n',
  })
  expect(await store.reassignments()).toMatchObject([{ modelId: 'a', historyId: 'a~2', cruncherId: 'eve' }])

  // One round detects the decision; it applies from the next one on.
  await drive(...candles(5, 7))
  expect(await rowCounts()).toEqual({ a: 3, 'a~2': 2, b: 8 })
  expect((await store.models()).map(({ id, cruncherId }) => `${id} of ${cruncherId}`)).toEqual([
    'a of c-a',
    'a~2 of eve',
    'b of c-b',
  ])
})

it('refuses an unknown id, names the known ones, and changes nothing', async () => {
  const { drive } = await openCompetition({ models: { a: steady(0.5), b: steady(-0.5) }, store })
  await drive(...candles(0, 0))
  const { exitCode, err } = await reassign('c', '--to', 'eve')
  expect(exitCode).toBe(1)
  expect(err).toContain('model c: the node has never set up a model with this id\n')
  expect(err).toContain('fix: give one of these ids: a, b\n')
  const without = await reassign('a')
  expect(without.exitCode).not.toBe(0)
  expect(without.err).toContain("required option '--to <cruncher>'")
  expect(await store.reassignments()).toEqual([])
})
