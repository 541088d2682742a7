import { appendFile, readdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { openWeatherWorkspace, type WeatherWorkspace } from '../local-model/weather-workspace.fixture.ts'

const days = 25
let workspace: WeatherWorkspace

beforeAll(async () => {
  workspace = await openWeatherWorkspace(days)
  const source = join(workspace.directory, 'node/source.ts')
  await writeFile(source, sourceModule(join(workspace.directory, 'node/recordings/weather.csv')))
  await appendFile(join(workspace.directory, 'node/.env'), `FEED_SOURCE_MODULE="${source}#source"\n`)
})

afterAll(() => workspace?.remove())

/** The workspace's recording as a source that returns one record per page, with a short delay. */
const sourceModule = (path: string) => `
import { setTimeout } from 'node:timers/promises'
import { createRecordingSource } from '@crunch/coordinator-node/feeds'

export function source() {
  const series = { source: 'noaa', subjects: ['Seattle', 'New York'], kind: 'daily', granularity: '1d' }
  const recording = createRecordingSource({ files: [{ path: ${JSON.stringify(path)} }], series })
  return {
    ...recording,
    async *history(...range) {
      for await (const page of recording.history(...range)) {
        for (const record of page) {
          if (process.env.SLOW) await setTimeout(50)
          yield [record]
        }
      }
    },
  }
}
`

const range = ['--from', '2012-01-01', '--to', '2012-02-01']

async function ok(argv: readonly string[]): Promise<string> {
  const { exitCode, out, err } = await workspace.run(argv)
  expect(exitCode, err).toBe(0)
  return out
}

async function digestOf(recordings: readonly string[]): Promise<string> {
  const models = join(workspace.directory, 'models')
  const out = await ok(['simulate', '--recording', ...recordings, '--models', models, '--json'])
  return JSON.parse(out).digest
}

describe('crunch backfill and crunch record', { timeout: 180_000 }, () => {
  it('import data into tables and files and export it unchanged', async () => {
    await workspace.submission('persistence', `export { Persistence } from 'crunch-template-challenge'\n`)
    const original = await digestOf([workspace.recording])
    for (const subject of ['Seattle', 'New York']) {
      const job = JSON.parse(await ok(['backfill', '--subject', subject, ...range, '--json']))
      expect(job).toMatchObject({ status: 'completed', subject, recordCount: days, progressPercent: 100 })
      await ok(['backfill', '--subject', subject, ...range, '--target', 'parquet', '--directory', 'archive'])
    }
    const archive = ['Seattle', 'New%20York'].map((name) => join(workspace.directory, 'archive/noaa', name, 'daily/1d'))
    expect(await readdir(archive[1] as string)).toContain('2012-01-25.parquet')
    expect(await digestOf(archive)).toBe(original)

    const out = await ok(['record', '--out', 'recorded'])
    expect(out).toContain(`${days} records`)
    const names = await readdir(join(workspace.directory, 'recorded'))
    expect(names.sort()).toEqual(['noaa-New%20York-daily-1d.ndjson.gz', 'noaa-Seattle-daily-1d.ndjson.gz'])
    expect(await digestOf(names.map((name) => join(workspace.directory, 'recorded', name)))).toBe(original)
    const again = await workspace.run(['record', '--out', 'recorded'])
    expect(again).toMatchObject({ exitCode: 1, err: expect.stringContaining('the recording already exists') })
  })

  it('keeps its position after Ctrl-C, and can be resumed', async () => {
    process.env.SLOW = '1'
    const argv = ['backfill', '--subject', 'Seattle', '--source', 'noaa', ...range]
    let isInterrupted = false
    const { exitCode, err } = await workspace.crunch(argv, {
      onErr: (text, kill) => {
        if (!isInterrupted && text.includes(' records, ')) kill('SIGINT')
        isInterrupted ||= text.includes(' records, ')
      },
    })
    delete process.env.SLOW
    expect(exitCode).toBe(1)
    const id = /crunch backfill resume (\S+)/.exec(err)?.[1] ?? ''
    const [job] = JSON.parse(await ok(['backfill', 'list', '--json']))
    expect(job).toMatchObject({ id, status: 'pending' })
    expect(job.recordCount).toBeGreaterThan(0)
    expect(job.recordCount).toBeLessThan(days)
    expect(await ok(['backfill', 'resume', id.slice(0, 12)])).toContain(`${days} records`)
    expect(await ok(['backfill', 'list'])).toMatch(/completed.*100\.0 %/)
    const cancelled = await workspace.run(['backfill', 'cancel', id])
    expect(cancelled).toMatchObject({ exitCode: 1, err: expect.stringContaining('it is completed already') })
  })

  it.each([
    [['--subject', 'Seattle'], '--from is missing'],
    [range, 'several series of the contract match: noaa:Seattle:daily:1d, noaa:New York:daily:1d'],
    [['--subject', 'Paris', ...range], 'the contract has no such series'],
    [['--subject', 'Seattle', ...range, '--target', 'disk'], 'there is no target "disk"'],
    [['--subject', 'Seattle', ...range, '--directory', 'x'], 'the tables have no directory'],
    [['--subject', 'Seattle', '--from', '2012-02-01', '--to', '2012-01-01'], '--from is not before --to'],
    [
      ['--source', 'noaa', '--subject', 'Paris', '--kind', 'daily', '--granularity', '1d', ...range],
      'the tables hold the feeds of the contract',
    ],
    [['resume', 'none'], 'there is no such backfill'],
  ])('refuses %s with the reason', async (argv, reason) => {
    const { exitCode, err } = await workspace.run(['backfill', ...argv])
    expect(err).toContain(reason)
    expect(exitCode).toBe(1)
  })
})
