import { mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { embeddedDatabase } from '../embedded-database.ts'
import { openWeatherWorkspace, type WeatherWorkspace } from '../local-model/weather-workspace.fixture.ts'

let workspace: WeatherWorkspace
const stateOf = (name: string) => join(workspace.directory, 'node/.crunch', name)

beforeAll(async () => {
  workspace = await openWeatherWorkspace(3)
})
afterAll(async () => {
  for (const name of ['postgres', 'replay-postgres']) await embeddedDatabase.remove(stateOf(name))
  await workspace.remove()
})

describe('crunch export', () => {
  it.each([
    [['everything'], 'there is no export of "everything"', 'choose one of predictions, scores, snapshots, leaderboard'],
    [['scores', '--format', 'xlsx'], 'there is no format "xlsx"', 'choose one of csv, parquet, ndjson'],
    [['scores', '--out', 'scores.parquet.gz'], 'Parquet is compressed by itself', 'ends in .parquet'],
    [['scores', '--from', '2026-01-02', '--to', '2026-01-01'], '--from is not before --to', 'swap them'],
  ])('%j is refused: %s', async (argv, cause, fix) => {
    const { exitCode, err } = await workspace.run(['export', ...argv])
    expect([exitCode, err]).toEqual([1, expect.stringContaining(cause)])
    expect(err).toContain(fix)
  })

  it('refuses a day that is not in the calendar as a usage error', async () => {
    const { exitCode, err } = await workspace.run(['export', 'scores', '--from', '2026-02-30'])
    expect([exitCode, err]).toEqual([2, expect.stringContaining("'2026-02-30' is invalid: 2026-02 has 28 days")])
  })

  it('does not overwrite files', async () => {
    await writeFile(join(workspace.directory, 'mine.csv'), 'mine')
    const { exitCode, err } = await workspace.run(['export', 'scores', '--out', 'mine.csv'])
    expect([exitCode, err]).toEqual([1, expect.stringContaining('the file already exists')])
    expect(await readFile(join(workspace.directory, 'mine.csv'), 'utf8')).toBe('mine')
  })

  it('reports that nothing was ever stored, and creates no database', async () => {
    const { err } = await workspace.run(['export', 'scores'])
    expect(err).toContain('nothing is stored: no live node has run in this workspace')
    expect(err).toContain('crunch deploy')
    expect((await workspace.run(['leaderboard'])).err).toContain('nothing is stored')
  })
})

it.each([
  ['leaderboard'],
  ['export', 'scores'],
  ['record'],
  ['backfill', 'list'],
  ['models', 'reassign', '1', '--to', 'me'],
])('%s %s reports where the address of an unreachable database is set', async (...argv) => {
  const path = join(workspace.directory, 'node/.local.env')
  await writeFile(path, '# the database\nDATABASE_URL=postgres://crunch@127.0.0.1:1/crunch\n')
  try {
    const { exitCode, err } = await workspace.run(argv.filter((one) => one !== undefined))
    expect([exitCode, err]).toEqual([1, expect.stringContaining(`${path}:2: DATABASE_URL: the database postgres://`)])
    expect(err).not.toContain('    at ')
  } finally {
    await rm(path)
  }
})

it('reads results of live data or of the last replay while the node is down', async () => {
  // An embedded server creates its folder; the folder of a replay is next to it.
  await mkdir(stateOf('postgres'))
  const board = await workspace.run(['leaderboard'])
  expect([board.exitCode, board.out]).toEqual([0, expect.stringContaining('The leaderboard is empty')])
  const live = await workspace.run(['export', 'predictions'])
  expect(live.out).toMatch(/predictions\.csv: 0 rows/)
  expect(live.err).toContain('nothing is stored for this time range')
  expect(await readFile(join(workspace.directory, 'predictions.csv'), 'utf8')).toMatch(
    /^prediction_id,.*answer,truth\n$/,
  )
  await rename(stateOf('postgres'), stateOf('replay-postgres'))
  const other = await workspace.run(['export', 'scores', '--out', 'scores.ndjson'])
  expect(other.err).toContain('add --replay for what the last replay stored')
  const replayed = await workspace.run(['export', 'scores', '--out', 'scores.ndjson', '--replay'])
  expect(replayed.out).toMatch(/scores\.ndjson: 0 rows/)
})
