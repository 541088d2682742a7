import { execFile } from 'node:child_process'
import { mkdir, mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { pythonOrReason } from '@crunch/python-peers'
import { parquetMetadata } from 'hyparquet'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { SourceRecord } from '../../../ports/feed-source.ts'
import { createRecordingSource } from '../recording/index.ts'
import { archiveFolder, safeName } from '../recording/series-path.ts'
import { appendToArchive } from './append-to-archive.ts'

const run = promisify(execFile)
/** Reads and writes files as the Python engine's users do, with pyarrow. */
const pyarrow = 'pyarrow==26.0.1'

const scope = { source: 'binance', subject: 'BTCUSDT', kind: 'candle', granularity: '1m' }
const startAt = Date.UTC(2026, 2, 1, 23, 58)
const minute = (index: number) => startAt + index * 60_000

function candle(index: number, more: Partial<SourceRecord> = {}): SourceRecord {
  const values = { open: 1, high: 2, low: 0.5, close: 1.5 + index, volume: 10 }
  return { ...scope, eventAt: minute(index), knownAt: minute(index + 1), values, ...more }
}

let base: string
beforeEach(async () => {
  base = await mkdtemp(join(tmpdir(), 'archive-'))
})
afterEach(() => rm(base, { recursive: true, force: true }))

async function readBack(of = scope): Promise<SourceRecord[]> {
  const path = archiveFolder(base, of)
  const { subject, ...series } = of
  const source = createRecordingSource({ files: [{ path }], series: { ...series, subjects: [subject] } })
  const found: SourceRecord[] = []
  for await (const page of source.history(of, -8e15, 8e15, new AbortController().signal)) found.push(...page)
  return found
}

describe('an archive', () => {
  it('stores one file per UTC day and returns exactly what was written', async () => {
    const odd = [
      candle(3, { values: { open: null, close: 2.5, low: 'n/a', bid: { price: 1, sizes: [1, 2] } } }),
      candle(4, { knownAt: minute(9), values: {} }),
    ]
    expect(await appendToArchive(base, [candle(2), ...odd, candle(0)])).toBe(4)
    expect(await readBack()).toEqual([candle(0), candle(2), ...odd])
    const folder = archiveFolder(base, scope)
    expect(folder).toBe(join(base, 'binance', 'BTCUSDT', 'candle', '1m'))
    expect((await readdir(folder)).sort()).toEqual(['.lock', '2026-03-01.parquet', '2026-03-02.parquet'])
  })

  it('inserts records into a day in order and keeps existing ones', async () => {
    await appendToArchive(base, [candle(5), candle(3)])
    const revised = candle(3, { values: { close: -1 } })
    expect(await appendToArchive(base, [revised, candle(4), candle(4, { values: {} }), candle(5)])).toBe(1)
    expect(await readBack()).toEqual([candle(3), candle(4), candle(5)])
  })

  it('does not rewrite a file that already contains all records', async () => {
    await appendToArchive(base, [candle(0)])
    const path = join(archiveFolder(base, scope), '2026-03-01.parquet')
    const before = await stat(path)
    expect(await appendToArchive(base, [candle(0)])).toBe(0)
    expect((await stat(path)).ino).toBe(before.ino)
  })

  it('loses nothing when several writers add to one day at once', async () => {
    const pages = Array.from({ length: 8 }, (_, page) => [candle(2 + page), candle(20 + page)])
    expect((await Promise.all(pages.map((page) => appendToArchive(base, page)))).every((count) => count === 2)).toBe(
      true,
    )
    expect(await readBack()).toHaveLength(16)
  })

  it('does not change a file that it cannot read', async () => {
    const folder = archiveFolder(base, scope)
    await mkdir(folder, { recursive: true })
    const path = join(folder, '2026-03-01.parquet')
    await writeFile(path, 'not Parquet at all')
    await expect(appendToArchive(base, [candle(0)])).rejects.toMatchObject({ code: 'RECORDING_INVALID' })
    expect(await readFile(path, 'utf8')).toBe('not Parquet at all')
  })

  it('never writes outside its folder, whatever the name of the series', async () => {
    const names = ['..', '.', '../../etc', 'a/b', 'a\\b', 'BTC/USD', '.hidden', 'ü', 'a%2Fb', 'C:', '\u0000']
    expect(new Set(names.map(safeName)).size).toBe(names.length)
    for (const name of names) expect(safeName(name)).toMatch(/^[A-Za-z0-9_%-][A-Za-z0-9_.%-]*$/)
    expect(safeName('BRK.B')).toBe('BRK.B')
    expect(() => safeName('')).toThrow(/one is empty/)
    const odd = { ...scope, source: '..', subject: '../BTC/USD' }
    await appendToArchive(base, [candle(0, odd)])
    expect(await readdir(base)).toEqual(['%2E.'])
    expect(await readBack(odd)).toEqual([candle(0, odd)])
  })

  it('splits large days into row groups that are read one at a time', async () => {
    const seconds = Array.from({ length: 60_000 }, (_, index) =>
      candle(0, { granularity: '1s', eventAt: minute(2) + index * 1_000, knownAt: minute(2) + (index + 1) * 1_000 }),
    )
    await appendToArchive(base, seconds)
    const bytes = await readFile(join(archiveFolder(base, { ...scope, granularity: '1s' }), '2026-03-02.parquet'))
    const { row_groups: groups } = parquetMetadata(new Uint8Array(bytes).buffer)
    expect(groups.map(({ num_rows: count }) => Number(count))).toEqual([50_000, 10_000])
  })
})

describe('compatibility with pyarrow', () => {
  const readScript = `
import json, sys, pyarrow.parquet as pq
table = pq.read_table(sys.argv[1], partitioning=None)
print(json.dumps({
  "schema": [[f.name, str(f.type), f.nullable] for f in table.schema],
  "rows": [{**row, "ts_event": row["ts_event"].isoformat()} for row in table.to_pylist()],
}))`
  const writeScript = `
import sys, datetime as dt, pyarrow as pa, pyarrow.parquet as pq
at = [dt.datetime(2026, 3, 1, 23, 58, tzinfo=dt.timezone.utc), dt.datetime(2026, 3, 1, 23, 59, tzinfo=dt.timezone.utc)]
text = lambda value: pa.array([value, value], pa.string())
number = lambda *values: pa.array(values, pa.float64())
table = pa.table({
  "ts_event": pa.array(at, pa.timestamp("us", tz="UTC")),
  "source": text("binance"), "subject": text("BTCUSDT"), "kind": text("candle"), "granularity": text("1m"),
  "open": number(1.0, 2.0), "high": number(2.0, 3.0), "low": number(0.5, None), "close": number(1.5, 2.5), "volume": number(10.0, 0.0),
  "meta": pa.array(["{}", '{"bid": 1.25, "_record_meta": {"ingested": "x"}}'], pa.string()),
})
pq.write_table(table, sys.argv[1], compression=sys.argv[2])`

  it('writes files that pyarrow reads with the columns, types and values of the layout', async (context) => {
    const peer = await pythonOrReason(pyarrow)
    if ('reason' in peer) return context.skip(peer.reason)
    await appendToArchive(base, [candle(0), candle(1, { values: { close: 2, note: 'ü' }, knownAt: minute(3) })])
    const path = join(archiveFolder(base, scope), '2026-03-01.parquet')
    const { stdout } = await run(peer.python, ['-c', readScript, path])
    const texts = ['source', 'subject', 'kind', 'granularity'].map((name) => [name, 'string', true])
    const numbers = ['open', 'high', 'low', 'close', 'volume'].map((name) => [name, 'double', true])
    expect(JSON.parse(stdout)).toEqual({
      schema: [['ts_event', 'timestamp[us, tz=UTC]', true], ...texts, ...numbers, ['meta', 'string', true]],
      rows: [
        {
          ...{ ts_event: '2026-03-01T23:58:00+00:00', ...scope },
          ...{ open: 1, high: 2, low: 0.5, close: 1.5, volume: 10, meta: '{}' },
        },
        {
          ...{ ts_event: '2026-03-01T23:59:00+00:00', ...scope },
          ...{ open: null, high: null, low: null, close: 2, volume: null },
          meta: '{"note":"ü","_record_meta":{"known_at":"2026-03-02T00:01:00.000Z"}}',
        },
      ],
    })
  })

  it.for(['snappy', 'gzip', 'brotli', 'none'])(
    'reads and extends files written by pyarrow, with compression %s',
    async (codec, context) => {
      const peer = await pythonOrReason(pyarrow)
      if ('reason' in peer) return context.skip(peer.reason)
      const folder = archiveFolder(base, scope)
      await mkdir(folder, { recursive: true })
      await run(peer.python, ['-c', writeScript, join(folder, '2026-03-01.parquet'), codec])
      const theirs = [candle(0), candle(1, { values: { open: 2, high: 3, close: 2.5, volume: 0, bid: 1.25 } })]
      expect(await readBack()).toEqual(theirs)
      expect(await appendToArchive(base, [candle(1), candle(-1)])).toBe(1)
      expect(await readBack()).toEqual([candle(-1), ...theirs])
    },
  )

  it('suggests a fix for an unsupported compression', async (context) => {
    const peer = await pythonOrReason(pyarrow)
    if ('reason' in peer) return context.skip(peer.reason)
    const folder = archiveFolder(base, scope)
    await mkdir(folder, { recursive: true })
    await run(peer.python, ['-c', writeScript, join(folder, '2026-03-01.parquet'), 'lz4'])
    await expect(readBack()).rejects.toThrow(/the compression lz4 is not read here\)\. .*snappy, gzip or none/)
  })
})
