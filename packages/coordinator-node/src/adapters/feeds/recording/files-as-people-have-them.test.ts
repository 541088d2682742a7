import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { deflateRawSync, crc32 as zlibCrc32 } from 'node:zlib'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type Log, silentLog } from '../../../ports/log.ts'
import { createRecordingSource } from './create-recording-source.ts'
import type { RecordingSeries } from './recording-options.ts'

let folder: string

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'recording-as-is-'))
})
afterAll(() => rm(folder, { recursive: true, force: true }))

const candles: RecordingSeries = { source: 'x', subjects: ['BTCUSDT'], kind: 'candle', granularity: '1m' }
const rides: RecordingSeries = { source: 'x', subjects: ['BTCUSDT'], kind: 'rides', granularity: '1h' }
const startAt = Date.UTC(2025, 0, 1)

async function read(name: string, content: string | Buffer, series = candles) {
  const path = join(folder, name)
  await writeFile(path, content)
  const warnings: string[] = []
  const log: Log = { ...silentLog, warn: (message, fields) => warnings.push(`${message}: ${String(fields?.reason)}`) }
  const source = createRecordingSource({ files: [{ path }], series, log })
  const scopes = series.subjects.map((subject) => ({ ...series, subject }))
  const records = []
  for await (const batch of source.stream(scopes, new Map(), new AbortController().signal)) records.push(...batch)
  return { records, warnings }
}

/** A row of a public candle file: 12 columns; `digits` are appended to the times in ms. */
function dumpRow(minute: number, digits: string): string {
  const openAt = startAt + minute * 60_000
  return `${openAt}${digits},93576.0,93610.9,93537.5,93610.9,8.2,${openAt + 59_999}${digits.replaceAll('0', '9')},7.6,2631,4.1,3.9,0`
}

/** A ZIP archive with one file. */
function zip(name: string, content: string, crc = zlibCrc32(content)): Buffer {
  const data = deflateRawSync(content)
  const both = Buffer.alloc(26)
  both.writeUInt16LE(20, 0)
  both.writeUInt16LE(8, 4)
  both.writeUInt32LE(crc, 10)
  both.writeUInt32LE(data.length, 14)
  both.writeUInt32LE(Buffer.byteLength(content), 18)
  both.writeUInt16LE(name.length, 22)
  const local = Buffer.concat([Buffer.from('PK\x03\x04'), both, Buffer.from(name), data])
  const central = Buffer.concat([Buffer.from('PK\x01\x02\x14\x00'), both, Buffer.alloc(14), Buffer.from(name)])
  const end = Buffer.alloc(18)
  end.writeUInt16LE(1, 4)
  end.writeUInt16LE(1, 6)
  end.writeUInt32LE(central.length, 8)
  end.writeUInt32LE(local.length, 12)
  return Buffer.concat([local, central, Buffer.from('PK\x05\x06'), end])
}

describe("Binance's public candle files", () => {
  const values = { open: 93576, high: 93610.9, low: 93537.5, close: 93610.9, volume: 8.2 }

  it.each([
    ['milliseconds, as until 2024', ''],
    ['microseconds, as spot files since 2025', '000'],
  ])('are read without a header line: %s', async (_name, digits) => {
    const text = [0, 1].map((minute) => `${dumpRow(minute, digits)}\n`).join('')
    const { records, warnings } = await read('BTCUSDT-1m-2025-01.csv', text)
    expect(records).toMatchObject([
      { eventAt: startAt, knownAt: startAt + 60_000, values },
      { eventAt: startAt + 60_000, knownAt: startAt + 120_000, values },
    ])
    expect(warnings).toEqual([])
  })

  it('are read with the header line of futures files, with the same values', async () => {
    const header =
      'open_time,open,high,low,close,volume,close_time,quote_volume,count,taker_buy_volume,taker_buy_quote_volume,ignore'
    const row = dumpRow(0, '')
    const withHeader = await read('BTCUSDT-1m-2025-01-01.csv', `${header}\n${row}\n`)
    const without = await read('BTCUSDT-1m-2025-01-02.csv', `${row}\n`)
    // The time column is not among the values, whatever its name.
    expect(without.records).toEqual(withHeader.records)
  })

  it('are read from their ZIP archive', async () => {
    const text = `${dumpRow(0, '000')}\n`
    const { records } = await read('BTCUSDT-1m-2025-01.zip', zip('BTCUSDT-1m-2025-01.csv', text))
    expect(records).toMatchObject([{ eventAt: startAt, values }])
  })

  it('are refused for a feed with another granularity', async () => {
    const hours = { ...candles, granularity: '1h' }
    await expect(read('BTCUSDT-1m-x.csv', dumpRow(0, '000'), hours)).rejects.toThrow(
      /line 1: the candle is 1m long, and those of the feed are 1h/,
    )
  })

  it.each([
    ['a damaged archive', zip('BTCUSDT.csv', dumpRow(0, '')).subarray(0, 60), /is not a ZIP archive that can be read/],
    ['a wrong checksum', zip('BTCUSDT.csv', dumpRow(0, ''), 1), /the checksum of BTCUSDT\.csv is wrong/],
    ['another file', zip('README.md', 'hello'), /holds README\.md, not a CSV file\. Unpack it/],
  ])('are refused in %s', async (_name, content, message) => {
    await expect(read('BTCUSDT-bad.zip', content)).rejects.toThrow(message)
  })
})

describe('columns and separators', () => {
  const minute = { eventAt: startAt, values: { open: 1, high: 2, low: 1, close: 2, volume: 5 } }

  it.each([
    'event_at',
    'ts_ms',
    'open_time',
    'timestamp',
    'datetime',
    'time',
    'date',
    'Open time',
    'date_time',
    'Date',
  ])('takes the time from the column %s', async (name) => {
    const { records } = await read(
      'BTCUSDT.csv',
      `${name},open,high,low,close,volume\n2025-01-01T00:00:00Z,1,2,1,2,5\n`,
    )
    expect(records).toMatchObject([minute])
    const line = JSON.stringify({ [name]: startAt, ...minute.values })
    expect((await read('BTCUSDT.ndjson', line)).records).toEqual(records)
  })

  it.each([
    ['semicolons', 'time;open;high;low;close;volume\n2025-01-01;1;2;1;2;5\n'],
    ['tabs', 'time\topen\thigh\tlow\tclose\tvolume\n2025-01-01\t1\t2\t1\t2\t5\n'],
    ['blanks after commas', 'time, open, high, low, close, volume\n2025-01-01, 1, 2, 1, 2, 5\n'],
    ['blanks around semicolons', ' time ; open ; high ; low ; close ; volume \n 2025-01-01 ; 1 ; 2 ; 1 ; 2 ; 5 \n'],
    ['Windows line ends after a Unix one', 'time,open,high,low,close,volume\n2025-01-01,1,2,1,2,5\r\n'],
    ['a Unix line end after a Windows one', 'time,open,high,low,close,volume\r\n2025-01-01,1,2,1,2,5\n'],
  ])('reads %s', async (_name, text) => {
    expect((await read('BTCUSDT.csv', text)).records).toMatchObject([minute])
  })

  it('strips line ends of every kind from texts', async () => {
    const text = 'time,note\n2025-01-01,a\r\n2025-01-02,b\n2025-01-03,c\r\n'
    const { records } = await read('BTCUSDT.csv', text, rides)
    expect(records.map(({ values }) => values)).toEqual([{ note: 'a' }, { note: 'b' }, { note: 'c' }])
  })

  it('finds a currency pair in common notations of file names', async () => {
    const pair = { ...candles, subjects: ['BTC/USDT', 'ETH/USDT'] }
    const text = 'date,open,high,low,close,volume\n2025-01-01,1,2,1,2,5\n'
    for (const name of ['BTC_USDT-1m', 'BTC-USDT', 'BTCUSDT-1m', 'x-BTC%2FUSDT']) {
      expect((await read(`${name}.csv`, text, pair)).records).toMatchObject([{ subject: 'BTC/USDT' }])
    }
  })
})

describe('warnings, each logged once', () => {
  const header = 'ts_ms,open,high,low,close,volume'

  it.each([
    ['empty', '1735689660000,,,,,0'],
    ['NaN', '1735689660000,nan,NaN,1,1,0'],
    ['null', '1735689660000,1,1,null,1,0'],
  ])('count omitted candles without a value: %s', async (_name, row) => {
    const text = [header, '1735689600000,1,2,1,2,5', row, '1735689720000,1,2,1,2,5', ''].join('\n')
    const { records, warnings } = await read('BTCUSDT.csv', text)
    expect(records.map(({ eventAt }) => (eventAt - startAt) / 60_000)).toEqual([0, 2])
    expect(warnings).toEqual([
      expect.stringMatching(/^rows without a value were left out: 1 of 3 rows have no value, .*BTCUSDT\.csv, line 3$/),
    ])
  })

  it('count omitted NDJSON candles without a value', async () => {
    const lines = [1, null].map((open, index) =>
      JSON.stringify({ time: startAt + index * 60_000, open, high: 1, low: 1, close: 1, volume: 0 }),
    )
    const { records, warnings } = await read('BTCUSDT.jsonl', lines.join('\n'))
    expect(records).toHaveLength(1)
    expect(warnings).toHaveLength(1)
  })

  it('do not concern optional values of other series, which stay null', async () => {
    const { records } = await read('BTCUSDT.csv', 'date,known_at,price\n2025-01-01,2025-01-02,\n', rides)
    expect(records).toMatchObject([{ values: { price: null } }])
  })

  it('say that times without a zone are read as UTC', async () => {
    const text =
      'date_time,x,known_at\n2025-01-01 10:00:00,1,2025-01-01T11:00Z\n2025-01-01 11:00:00,1,2025-01-01T12:00Z\n'
    const { records, warnings } = await read('BTCUSDT.csv', text, rides)
    expect(records[0]?.eventAt).toBe(Date.UTC(2025, 0, 1, 10))
    expect(warnings).toEqual([
      expect.stringMatching(/^times without a zone are read as UTC: "2025-01-01 10:00:00" has no zone/),
    ])
  })

  it('say that look-ahead is possible for rows on the grid without known_at', async () => {
    const text = 'date_time,x\n2025-01-01T10:00Z,1\n2025-01-01T11:00Z,1\n'
    const { warnings } = await read('BTCUSDT.csv', text, rides)
    expect(warnings).toEqual([expect.stringMatching(/^look-ahead is possible: .*add a column known_at with the end/)])
  })

  it.each([
    ['that say when they were known', 'date_time,known_at,x\n2025-01-01T10:00Z,2025-01-01T11:00Z,1\n', rides],
    ['that are not on the grid', 'date_time,x\n2025-01-01T10:00:07Z,1\n', rides],
    ['of candles', 'date_time,open,high,low,close,volume\n2025-01-01T10:00Z,1,1,1,1,1\n', candles],
    ['whose delay is set', 'date_time,x\n2025-01-01T10:00Z,1\n', { ...rides, knownAfter: 'granularity' as const }],
  ])('do not concern rows %s', async (_name, text, series) => {
    expect((await read('BTCUSDT.csv', text, series)).warnings).toEqual([])
  })
})
