import { mkdir, mkdtemp, readdir, readFile, rename, rm, symlink, writeFile } from 'node:fs/promises'
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
  const stored = await readFile(join(folder, 'data', path))
  expect(Buffer.from(await file.arrayBuffer()).equals(stored)).toBe(true)
  expect(file.headers.get('content-length')).toBe(String(stored.length))
  const head = await app.request(`/data/backfill/${path}`, { method: 'HEAD' })
  expect([head.status, head.headers.get('content-length')]).toEqual([200, String(stored.length)])
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
  expect(await files.open({ ...btc, subject: 'LINK' }, '2026-03-01.parquet')).toBeNull()
  expect((await files.list()).map(({ scope }) => scope.subject)).toEqual(['BTCUSDT'])
  for (const source of ['..', '../..', '.', '%2e%2e', '/etc', 'binance/BTCUSDT/candle/1m/../../../../..']) {
    expect(await files.open({ source, subject: '..', kind: '..', granularity: '..' }, '2026-03-01.parquet')).toBeNull()
  }
  for (const name of ['../2026-03-01.parquet', '.lock', 'secret.parquet', '2026-03-01.parquet/..', '']) {
    expect(await files.open(btc, name)).toBeNull()
  }
})

it('reads a file piece by piece, as it was when it was opened, and closes it when the client leaves', async () => {
  const [at, next] = [join(folder, 'data', path), join(folder, 'next.parquet')]
  await writeFile(at, Buffer.alloc(200_000, 'a'))
  await writeFile(next, Buffer.alloc(10, 'b'))
  const files = openDataFiles(join(folder, 'data'))
  const [file, left] = await Promise.all([files.open(btc, '2026-03-01.parquet'), files.open(btc, '2026-03-01.parquet')])
  await rename(next, at)
  const lengths: number[] = []
  let text = ''
  for await (const piece of file?.bytes ?? []) {
    lengths.push(piece.length)
    text += Buffer.from(piece).toString()
  }
  expect([lengths, text === 'a'.repeat(200_000), file?.sizeBytes]).toEqual([
    [65_536, 65_536, 65_536, 3_392],
    true,
    200_000,
  ])
  const open = async () => (await readdir('/proc/self/fd').catch(() => [])).length
  const before = await open()
  await left?.bytes.cancel()
  expect(await open()).toBeLessThanOrEqual(before)
  await writeFile(at, '')
  const empty = await files.open(btc, '2026-03-01.parquet')
  expect(await new Response(empty?.bytes ?? null).text()).toBe('')
})
