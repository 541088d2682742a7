import { mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { appendToArchive } from '../../adapters/feeds/parquet/append-to-archive.ts'
import { btc, candle } from '../../ports/store-samples.ts'
import { reportUnderTest } from '../../report/report-app.testkit.ts'
import { openDataFiles } from './data-files.ts'

let folder: string
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'data-files-'))
  await writeFile(join(folder, 'secret.parquet'), 'secret')
  await writeFile(join(folder, '2026-03-01.parquet'), 'secret')
  await appendToArchive(join(folder, 'data'), [candle(0), candle(1)])
})
afterEach(() => rm(folder, { recursive: true, force: true }))

const path = 'binance/BTCUSDT/candle/1m/2026-03-01.parquet'

it('lists the files with their rows, and serves them', async () => {
  const { app, get } = reportUnderTest({ dataFiles: openDataFiles(join(folder, 'data')) })
  expect((await get('/data/backfill/index')).body).toEqual([
    { path, records: 2, size_bytes: expect.any(Number), date: '2026-03-01' },
  ])
  const file = await app.request(`/data/backfill/${path}`)
  expect([file.status, file.headers.get('content-type')]).toEqual([200, 'application/octet-stream'])
  expect(
    Buffer.from(await file.arrayBuffer())
      .subarray(0, 4)
      .toString(),
  ).toBe('PAR1')
  expect(
    (await reportUnderTest({ dataFiles: openDataFiles(join(folder, 'none')) }).get('/data/backfill/index')).body,
  ).toEqual([])
})

it('counts no rows of a damaged file, and leaves out folders that no backfill writes', async () => {
  await writeFile(join(folder, 'data', 'binance', 'BTCUSDT', 'candle', '1m', '2026-03-02.parquet'), 'PAR1 nonsense')
  await mkdir(join(folder, 'data', '%zz', 'BTCUSDT', 'candle', '1m', '2026-03-01.parquet'), { recursive: true })
  const listed = await openDataFiles(join(folder, 'data')).list()
  expect(listed.map(({ name, recordCount }) => [name, recordCount])).toEqual([
    ['2026-03-01.parquet', 2],
    ['2026-03-02.parquet', null],
  ])
})

it('never reads outside the data folder', async () => {
  const files = openDataFiles(join(folder, 'data'))
  await mkdir(join(folder, 'data', 'binance', 'LINK', 'candle', '1m'), { recursive: true })
  await symlink(
    join(folder, '2026-03-01.parquet'),
    join(folder, 'data', 'binance', 'LINK', 'candle', '1m', '2026-03-01.parquet'),
  )
  expect(await files.read({ ...btc, subject: 'LINK' }, '2026-03-01.parquet')).toBeNull()
  expect((await files.list()).map(({ scope }) => scope.subject)).toEqual(['BTCUSDT'])
  for (const source of ['..', '../..', '.', '%2e%2e', '/etc', 'binance/BTCUSDT/candle/1m/../../../../..']) {
    expect(await files.read({ source, subject: '..', kind: '..', granularity: '..' }, '2026-03-01.parquet')).toBeNull()
  }
  for (const name of ['../2026-03-01.parquet', '.lock', 'secret.parquet', '2026-03-01.parquet/..', '']) {
    expect(await files.read(btc, name)).toBeNull()
  }
})
