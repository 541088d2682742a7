import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { z } from 'zod'
import type { FeedScope } from '../../../domain/feed-record.ts'
import type { JsonObject } from '../../../domain/json/json.ts'
import { feedSourceTestsuite } from '../../../ports/feed-source.testsuite.ts'
import type { SourceRecord } from '../../../ports/feed-source.ts'
import type { Log } from '../../../ports/log.ts'
import { silentLog } from '../../../ports/log.ts'
import { createRecordingSource } from './create-recording-source.ts'
import type { RecordingFile, RecordingOptions, RecordingSeries } from './recording-options.ts'

let folder: string
let count = 0

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'recording-'))
})
afterAll(() => rm(folder, { recursive: true, force: true }))

/** Each file is in a separate folder, so that tests can choose equal file names. */
async function file(name: string, content: string | Buffer): Promise<string> {
  count += 1
  const own = join(folder, String(count))
  await mkdir(own)
  const path = join(own, name)
  await writeFile(path, content)
  return path
}

const candles: RecordingSeries = {
  source: 'exchange',
  subjects: ['BTCUSDT', 'ETHUSDT'],
  kind: 'candle',
  granularity: '1m',
}
const weather: RecordingSeries = {
  source: 'station',
  subjects: ['seattle', 'new-york'],
  kind: 'daily',
  granularity: '1d',
}
const header = 'ts_ms,open,high,low,close,volume'
const startAt = Date.UTC(2026, 2, 1)

function row(minute: number, close = 100): string {
  return `${startAt + minute * 60_000},99,101,98,${close},1.5`
}

async function read(
  series: RecordingSeries,
  files: readonly (string | RecordingFile)[],
  more: Partial<RecordingOptions> = {},
): Promise<(readonly SourceRecord[])[]> {
  const options = { series, files: files.map((it) => (typeof it === 'string' ? { path: it } : it)), ...more }
  const source = createRecordingSource(options)
  const scopes = [series, ...files.flatMap((it) => (typeof it === 'string' ? [] : (it.series ?? [])))].flatMap(scopesOf)
  const batches: (readonly SourceRecord[])[] = []
  for await (const batch of source.stream(scopes, new Map(), new AbortController().signal)) batches.push(batch)
  return batches
}

function scopesOf({ source, subjects, kind, granularity }: RecordingSeries): FeedScope[] {
  return subjects.map((subject) => ({ source, subject, kind, granularity }))
}

function csvOf(records: readonly SourceRecord[]): string {
  const columns = ['open', 'high', 'low', 'close', 'volume']
  const lines = records.map((it) => [it.eventAt, ...columns.map((column) => it.values[column])].join(','))
  return [header, ...lines, ''].join('\n')
}

const suite = { source: 'exchange', resumes: true, batchesInstants: true }

feedSourceTestsuite('recording, a gzipped CSV file a subject, rows shuffled', {
  ...suite,
  async open(records) {
    const files = await Promise.all(
      ['BTCUSDT', 'ETHUSDT'].map(async (subject) => {
        const rows = records.filter((it) => it.subject === subject).reverse()
        return { path: await file(`exchange-${subject}.csv.gz`, gzipSync(csvOf(rows))) }
      }),
    )
    return { source: createRecordingSource({ files, series: candles }), close: () => Promise.resolve() }
  },
})

feedSourceTestsuite('recording, one NDJSON file of all subjects, grouped by subject', {
  ...suite,
  async open(records) {
    const lines = [...records]
      .sort((one, other) => (one.subject < other.subject ? 1 : -1))
      .map(({ subject, eventAt, values }) => JSON.stringify({ event_at: eventAt, subject, ...values }))
    const files = [{ path: await file('all.ndjson', lines.join('\n')) }]
    return { source: createRecordingSource({ files, series: candles }), close: () => Promise.resolve() }
  },
})

describe('supported shapes of a recording', () => {
  it('reads several subjects, texts, empty cells and known_at', async () => {
    const path = await file(
      'weather.csv',
      [
        'event_at,known_at,subject,temp_max,weather,code',
        '2012-01-02,2012-01-03T06:00:00Z,seattle,10.6,"rain, then ""snow""",007',
        '2012-01-01,2012-01-02T06:00:00+01:00,new-york,-0,sun,',
      ].join('\r\n'),
    )
    expect((await read(weather, [path])).flat()).toEqual([
      {
        ...{ source: 'station', subject: 'new-york', kind: 'daily', granularity: '1d' },
        eventAt: Date.UTC(2012, 0, 1),
        knownAt: Date.UTC(2012, 0, 2, 5),
        values: { temp_max: 0, weather: 'sun', code: null },
      },
      {
        ...{ source: 'station', subject: 'seattle', kind: 'daily', granularity: '1d' },
        eventAt: Date.UTC(2012, 0, 2),
        knownAt: Date.UTC(2012, 0, 3, 6),
        values: { temp_max: 10.6, weather: 'rain, then "snow"', code: '007' },
      },
    ])
  })

  it('derives knownAt from the kind unless it is set', async () => {
    const path = await file('seattle.csv', 'date,temp_max\n2012-01-01,12.8\n')
    const day = Date.UTC(2012, 0, 1)
    expect((await read(weather, [path]))[0]?.[0]?.knownAt).toBe(day)
    expect((await read({ ...weather, knownAfter: 'granularity' }, [path]))[0]?.[0]?.knownAt).toBe(day + 86_400_000)
    const tick = { ...weather, kind: 'candle', knownAfter: 'event' as const }
    expect((await read(tick, [path]))[0]?.[0]?.knownAt).toBe(day)
  })

  it('delivers the result of parseValues', async () => {
    const path = await file('seattle.csv', 'date,temp_max\n2012-01-01,12.8\n')
    const schema = z.object({ temp_max: z.number().transform((celsius) => celsius * 2) })
    const parseValues = (values: JsonObject) => schema.parse(values)
    expect((await read({ ...weather, parseValues }, [path]))[0]?.[0]?.values).toEqual({ temp_max: 25.6 })
  })

  it('keeps an integer that JavaScript cannot represent as text', async () => {
    const path = await file('seattle.csv', 'date,local_ns,small\n2012-01-01,1723161254087896568,1e-7\n')
    expect((await read(weather, [path]))[0]?.[0]?.values).toEqual({ local_ns: '1723161254087896568', small: 1e-7 })
  })

  it('skips a byte order mark and trailing blank lines, and reads cells that span several lines', async () => {
    const path = await file('seattle.csv', '\uFEFFdate,note\n2012-01-01,"a\nb"\n\n')
    expect((await read(weather, [path]))[0]?.[0]?.values).toEqual({ note: 'a\nb' })
  })

  it('uses the set subject, else the longest one in the file name', async () => {
    const series = { ...weather, subjects: ['york', 'new-york'] }
    const content = 'date,temp_max\n2012-01-01,12.8\n'
    expect((await read(series, [await file('New-York_2012.csv', content)]))[0]?.[0]?.subject).toBe('new-york')
    const path = await file('a.csv', content)
    expect((await read(series, [{ path, subject: 'york' }]))[0]?.[0]?.subject).toBe('york')
  })

  it('describes only the subjects of its files', async () => {
    const source = createRecordingSource({
      files: [{ path: await file('x-ETHUSDT-1m.csv', `${header}\n${row(0)}\n`) }],
      series: candles,
    })
    expect(await source.describe(new AbortController().signal)).toEqual([
      { source: 'exchange', subjects: ['ETHUSDT'], kind: 'candle', granularities: ['1m'] },
    ])
  })
})

describe('order', () => {
  it('delivers duplicates, revisions and gaps unchanged', async () => {
    const path = await file('BTCUSDT.csv', [header, row(0), row(0), row(0, 100.5), row(9)].join('\n'))
    const batches = await read(candles, [path])
    expect(batches.map((batch) => batch.map((it) => it.values.close))).toEqual([[100, 100, 100.5], [100]])
  })

  it('sorts late rows and logs their number', async () => {
    const path = await file('BTCUSDT.csv', [header, row(2), row(0), row(1), row(4), row(3)].join('\n'))
    const warnings: unknown[] = []
    const log: Log = { ...silentLog, warn: (message, fields) => warnings.push([message, fields]) }
    const batches = await read(candles, [path], { log })
    expect(batches.flat().map((it) => (it.eventAt - startAt) / 60_000)).toEqual([0, 1, 2, 3, 4])
    const reason = '3 rows came after later ones and were put into their places'
    expect(warnings).toEqual([
      ['recording has rows out of order', { stage: 'feed', file: path, outOfOrderCount: 3, reason }],
    ])
  })

  it('refuses a row that is later than the look-ahead, naming its line', async () => {
    const minutes = Array.from({ length: 5_000 }, (_, index) => row(index + 1))
    const path = await file('BTCUSDT.csv', [header, ...minutes, row(0)].join('\n'))
    await expect(read(candles, [path], { lookAheadRows: 100 })).rejects.toMatchObject({
      code: 'RECORDING_INVALID',
      message: expect.stringMatching(
        /BTCUSDT\.csv, line 5002: the row is known at 2026-03-01T00:01:00\.000Z but comes more than 100 /,
      ),
    })
    expect((await read(candles, [path])).flat()).toHaveLength(5_001)
  })

  it('does not depend on the order of the files', async () => {
    const btc = await file('BTCUSDT.csv', [header, row(0), row(1)].join('\n'))
    const eth = await file('ETHUSDT.csv', [header, row(1), row(2)].join('\n'))
    const batches = await read(candles, [eth, btc])
    expect(batches).toEqual(await read(candles, [btc, eth]))
    expect(batches.map((batch) => batch.map((it) => it.subject))).toEqual([
      ['BTCUSDT'],
      ['BTCUSDT', 'ETHUSDT'],
      ['ETHUSDT'],
    ])
  })
})

const good = row(0)
const brokenFiles: readonly (readonly [name: string, content: string | Buffer, message: RegExp])[] = [
  ['too few columns', [header, good, '1772323260000,99,101'].join('\n'), /line 3: 3 columns instead of 6 in "1772/],
  ['a price that is not a number', [header, good.replace('101', 'abc')].join('\n'), /line 2: column "high" is "abc"/],
  ['an infinite price', [header, good.replace('101', '1e999')].join('\n'), /line 2: column "high" is "Infinity"/],
  ['no value anywhere', [header, good.replace('101', '')].join('\n'), /contains no complete row/],
  [
    'a day that does not exist',
    'date,x\n2023-02-29,1',
    /line 2: column "date" holds "2023-02-29", which is not a time \(2023-02 has 28 days\)/,
  ],
  [
    'an hour that does not exist',
    'date,x\n2023-02-28T24:30,1',
    /line 2: .*there is no hour 24.*Midnight is 00:00 of the foll/,
  ],
  [
    'date and time of day in separate columns',
    'date,time,x\n2023-02-28,10:00,1',
    /line 2: column "time" holds "10:00".*into one col/,
  ],
  ['no header line', `${good}\n`, /line 1: there is no header line: .*Name the columns in a first line of its own/],
  ['no header line and text', '2023-02-28;1;1;mist', /line 1: there is no header line/],
  ['an index without a name', `,${header}\n0,${good}`, /line 1: a column has no name.*index=False/],
  ['blanks in quoted names', 'date," open"\n2023-02-28,1', /line 1: column name " open" has blanks around it/],
  [
    'mixed separators',
    'time;open;high, low\n2023-02-28;1;1',
    /line 1: the separators in "time;open;high,low" are mixed/,
  ],
  ['decimal commas', 'date;x\n2023-02-28;1,5', /line 2: column "x" is "1,5", with a decimal comma in "2023-02-28;1,5"/],
  ['UTF-16', Buffer.from('\uFEFFdate,x\n2023-02-28,1', 'utf16le'), /is UTF-16. Save it as UTF-8/],
  [
    'longer candles than the feed',
    'open_time,open,high,low,close,volume,close_time\n1735689600000,1,1,1,1,1,1735693199999',
    /line 2: the candle is 1h long, and those of the feed are 1m/,
  ],
  ['a line after a quoted line end', 'date,x\n2023-02-27,"a\nb"\n2023-02-99,1', /line 4: column "date"/],
  ['a blank line between rows', [header, good, '', row(1)].join('\n'), /line 3: a blank line between rows/],
  ['an unclosed quote', [header, good, '"1772'].join('\n'), /is not valid CSV/],
  ['known before it happens', 'date,known_at\n2023-02-02,2023-02-01', /line 2: known_at .* is before the event/],
  ['an unknown subject', 'date,subject\n2023-02-02,DOGE', /line 2: the feed has no subject "DOGE".*BTCUSDT, ETHUSDT/],
  [
    'no time column',
    'open,close\n1,2',
    /line 1: no column holds the time in "open,close".*event_at, ts_ms, open_time, timestamp, datetime, time, date/,
  ],
  ['a column twice', 'date,x,x\n2023-02-02,1,2', /line 1: column name "x" is reserved or duplicated/],
  ['only a header', `${header}\n`, /contains no rows/],
  ['nothing', '', /is empty/],
  ['gzip of nothing', gzipSync(''), /contains no rows/],
  ['no gzip', 'ts_ms\n1', /is not a valid gzip file/],
  ['half a gzip', gzipSync(`${header}\n${good}`).subarray(0, 30), /ends in the middle of its gzip stream/],
]

describe('a broken recording', () => {
  it.each(brokenFiles)('with %s is refused with its place and cause', async (name, content, message) => {
    const isGzip = name.includes('gzip')
    const path = await file(`BTCUSDT.csv${isGzip ? '.gz' : ''}`, content)
    await expect(read(candles, [path])).rejects.toMatchObject({
      code: 'RECORDING_INVALID',
      message: expect.stringMatching(message),
    })
  })

  it.each([
    ['a line that is not JSON', '{"time":"2023-02-02"}\n{"time":', /line 2: not a JSON object/],
    ['a list', '[1]', /line 1: not a JSON object/],
    ['no time', '{"x":1}', /line 1: no key holds the time/],
    ['a price as text', '{"time":"2023-02-02","close":"1"}', /line 1: "close" is "1", which is not a number/],
    ['a blank line between rows', '{"time":"2023-02-02"}\n\n{"time":"2023-02-03"}', /line 2: a blank line/],
    ['a subject that is a number', '{"time":"2023-02-02","subject":1}', /line 1: "subject" is not a string/],
    ['an overlong line', `{"time":"2023-02-02","x":"${'x'.repeat(1_200_000)}`, /line 1: is longer than 1048576/],
  ])('of NDJSON with %s is refused with its line', async (_name, content, message) => {
    const path = await file('BTCUSDT.jsonl', content)
    await expect(read(candles, [path])).rejects.toMatchObject({
      code: 'RECORDING_INVALID',
      message: expect.stringMatching(message),
    })
  })

  it('names the values that the schema refused', async () => {
    const path = await file('BTCUSDT.csv', [header, good, row(1)].join('\n'))
    const schema = z.object({ close: z.number().max(50), name: z.string() })
    const parseValues = (values: JsonObject) => schema.parse(values)
    await expect(read({ ...candles, parseValues }, [path])).rejects.toThrow(
      /line 2: the feed's schema refuses the values \(close: Too big.*; name: is missing.*in "1772/,
    )
  })

  it('is refused when it is missing, is a folder, or has an unknown format', async () => {
    await expect(read(candles, [join(folder, 'BTCUSDT.csv')])).rejects.toThrow(/there is no such recording/)
    await mkdir(join(folder, 'BTCUSDT-folder.csv'))
    await expect(read(candles, [join(folder, 'BTCUSDT-folder.csv')])).rejects.toThrow(/is not a file/)
    await expect(read(candles, ['BTCUSDT.xlsx'])).rejects.toThrow(/does not show its format.*\.csv/)
    await expect(read(candles, ["it's BTCUSDT.feather"])).rejects.toThrow(
      /is a Feather file.*python3 -c '.*read_feather.*' 'it'\\''s BTCUSDT\.feather' 'it'\\''s BTCUSDT\.parquet'/,
    )
    expect(() => createRecordingSource({ files: [], series: candles })).toThrow(/has no files/)
  })

  it('is refused when its subject is ambiguous', async () => {
    const content = `${header}\n${good}`
    await expect(read(candles, [await file('prices.csv', content)])).rejects.toThrow(/contains none of the feed's subj/)
    await expect(read(candles, [await file('XBTCUSDT.csv', content)])).rejects.toThrow(/contains none/)
    await expect(read(candles, [await file('BTCUSDT-ETHUSDT.csv', content)])).rejects.toThrow(/several subjects/)
    const path = await file('prices.csv', content)
    await expect(read(candles, [{ path, subject: 'DOGE' }])).rejects.toThrow(
      /the subject "DOGE", which the feed does not have/,
    )
    const both = await file('both.csv', `${header},subject\n${good},BTCUSDT`)
    await expect(read(candles, [{ path: both, subject: 'BTCUSDT' }])).rejects.toThrow(/Remove the setting/)
  })

  it('has only the series of its options', async () => {
    const source = createRecordingSource({ files: [{ path: await file('BTCUSDT.csv', header) }], series: candles })
    const scope = { source: 'exchange', subject: 'DOGE', kind: 'candle', granularity: '1m' }
    const stream = source.stream([scope], new Map(), new AbortController().signal)
    await expect(stream[Symbol.asyncIterator]().next()).rejects.toMatchObject({ code: 'FEED_UNAVAILABLE' })
  })
})
