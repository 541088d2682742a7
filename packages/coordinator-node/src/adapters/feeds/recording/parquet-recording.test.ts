import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parquetWriteBuffer } from 'hyparquet-writer'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { feedSourceTestsuite } from '../../../ports/feed-source.testsuite.ts'
import type { SourceRecord } from '../../../ports/feed-source.ts'
import { encodeArchive } from '../parquet/archive-columns.ts'
import { createRecordingSource } from './create-recording-source.ts'
import type { RecordingFile, RecordingSeries } from './recording-options.ts'

type Columns = Parameters<typeof parquetWriteBuffer>[0]['columnData']

let folder: string
let count = 0

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'parquet-recording-'))
})
afterAll(() => rm(folder, { recursive: true, force: true }))

async function file(name: string, content: Uint8Array): Promise<string> {
  count += 1
  const own = join(folder, String(count))
  await mkdir(own)
  await writeFile(join(own, name), content)
  return join(own, name)
}

const parquet = (columnData: Columns): Uint8Array => Buffer.from(parquetWriteBuffer({ columnData, rowGroupSize: 2 }))

const candles: RecordingSeries = {
  source: 'exchange',
  subjects: ['BTCUSDT', 'ETHUSDT'],
  kind: 'candle',
  granularity: '1m',
}
const startAt = Date.UTC(2026, 2, 1)
const minute = (index: number) => startAt + index * 60_000

function candle(index: number, more: Partial<SourceRecord> = {}): SourceRecord {
  const scope = { source: 'exchange', subject: 'BTCUSDT', kind: 'candle', granularity: '1m' }
  const values = { open: 1, high: 2, low: 0.5, close: 1.5, volume: index }
  return { ...scope, eventAt: minute(index), knownAt: minute(index + 1), values, ...more }
}

async function read(path: string, series = candles, more: Partial<RecordingFile> = {}): Promise<SourceRecord[]> {
  const source = createRecordingSource({ files: [{ path, ...more }], series })
  const { subjects, ...rest } = series
  const scopes = subjects.map((subject) => ({
    source: rest.source,
    subject,
    kind: rest.kind,
    granularity: rest.granularity,
  }))
  const found: SourceRecord[] = []
  for await (const batch of source.stream(scopes, new Map(), new AbortController().signal)) found.push(...batch)
  return found
}

const suite = { source: 'exchange', resumes: true, batchesInstants: true }

feedSourceTestsuite('recording, one Parquet file of all subjects', {
  ...suite,
  async open(records) {
    const path = await file('all.parquet', encodeArchive([...records].reverse()))
    return { source: createRecordingSource({ files: [{ path }], series: candles }), close: () => Promise.resolve() }
  },
})

feedSourceTestsuite('recording, Parquet files without a subject column, in small row groups', {
  ...suite,
  async open(records) {
    const files = await Promise.all(
      ['BTCUSDT', 'ETHUSDT'].map(async (subject) => {
        const mine = records.filter((it) => it.subject === subject)
        const numbers = ['open', 'high', 'low', 'close', 'volume'].map((name) => ({
          name,
          data: mine.map(({ values }) => values[name] as number),
          type: 'DOUBLE' as const,
        }))
        const times = { name: 'event_at', data: mine.map(({ eventAt }) => new Date(eventAt)) }
        return { path: await file(`${subject}.parquet`, parquet([times, ...numbers])) }
      }),
    )
    return { source: createRecordingSource({ files, series: candles }), close: () => Promise.resolve() }
  },
})

describe('supported shapes of a Parquet recording', () => {
  it.each([
    ['a timestamp', [new Date(startAt)], undefined],
    ['epoch milliseconds', [BigInt(startAt)], 'INT64'],
    ['a text', ['2026-03-01T00:00:00Z'], 'STRING'],
  ] as const)('reads the time from %s', async (_name, data, type) => {
    const columns = [
      { name: 'time', data: [...data], ...(type && { type }) },
      { name: 'close', data: [2.5] },
    ] as Columns
    const [record] = await read(await file('BTCUSDT.parquet', parquet(columns)))
    expect(record).toMatchObject({ subject: 'BTCUSDT', eventAt: startAt, knownAt: minute(1), values: { close: 2.5 } })
  })

  it('reads integers, texts, times, lists, structures and nulls as values', async () => {
    const columns: Columns = [
      { name: 'time', data: [new Date(startAt)] },
      { name: 'known_at', data: [new Date(minute(7))] },
      { name: 'received_at', data: [new Date(minute(8))] },
      { name: 'small', data: [7n], type: 'INT64' },
      { name: 'large', data: [2n ** 60n], type: 'INT64' },
      { name: 'source', data: ['a text like any other'], type: 'STRING' },
      { name: 'at', data: [new Date(minute(1))], type: 'TIMESTAMP' },
      { name: 'more', data: [{ list: [1, null], sure: true }], type: 'JSON' },
      { name: 'nothing', data: [null], type: 'DOUBLE' },
    ]
    const [record] = await read(await file('BTCUSDT.parquet', parquet(columns)))
    expect(record?.knownAt).toBe(minute(7))
    expect(record?.values).toEqual({
      small: 7,
      large: String(2n ** 60n),
      source: 'a text like any other',
      at: '2026-03-01T00:01:00.000Z',
      more: { list: [1, null], sure: true },
      nothing: null,
    })
  })

  it('reads the days of a folder one after the other', async () => {
    const days = join(folder, 'archive', '1m')
    await mkdir(join(days, '.lock'), { recursive: true })
    await writeFile(join(days, '2026-03-02.parquet'), encodeArchive([candle(1440)]))
    await writeFile(join(days, '2026-03-01.parquet'), encodeArchive([candle(0), candle(1)]))
    expect(await read(days)).toEqual([candle(0), candle(1), candle(1440)])
    await writeFile(join(days, 'notes.txt'), '')
    await expect(read(days)).rejects.toThrow(/notes\.txt: is not a day of the archive/)
    await expect(read(join(folder, 'none', '1m'))).rejects.toThrow(/there is no such folder/)
  })
})

const time = { name: 'time', data: [0, 1, 2].map((index) => new Date(minute(index))) }

const broken: readonly (readonly [name: string, content: Uint8Array, message: RegExp])[] = [
  [
    'another source',
    encodeArchive([candle(0), candle(1, { source: 'other' })]),
    /row 2: column "source" is "other", and/,
  ],
  [
    'another kind',
    encodeArchive([candle(0, { kind: 'tick' })]),
    /row 1: column "kind" is "tick", and the feed's is "candle"/,
  ],
  ['another granularity', encodeArchive([candle(0, { granularity: '1s' })]), /row 1: column "granularity" is "1s"/],
  ['an unknown subject', encodeArchive([candle(0, { subject: 'DOGE' })]), /row 1: the feed has no subject "DOGE"/],
  [
    'an infinite price',
    parquet([time, { name: 'close', data: [1.5, 2.5, Number.POSITIVE_INFINITY] }]),
    /row 3: column "close" is Infinity, which is not/,
  ],
  ['no price anywhere', parquet([time, { name: 'close', data: [Number.NaN, null, null] }]), /contains no complete row/],
  ['a price as text', parquet([time, { name: 'close', data: ['a', 'b', 'c'] }]), /row 1: column "close" is a, which/],
  ['NaN as another value', parquet([time, { name: 'x', data: [1.5, 2.5, Number.NaN] }]), /row 3: column "x" is NaN/],
  [
    'a row without a time',
    parquet([{ name: 'time', data: [new Date(startAt), null] }]),
    /row 2: column "time" holds nothing/,
  ],
  ['no valid time', parquet([{ name: 'time', data: [17] }]), /row 1: column "time" holds "17", which is not a time/],
  [
    'no time column',
    parquet([{ name: 'close', data: [1.5] }]),
    /no column holds the time in "close".*ts_event, event_at/,
  ],
  [
    'meta that is not JSON',
    parquet([
      { name: 'ts_event', data: [new Date(startAt)] },
      { name: 'meta', data: ['{"a":'] },
    ]),
    /row 1: column "meta" is not a JSON object/,
  ],
  ['no rows', parquet([{ name: 'time', data: [], type: 'TIMESTAMP' }]), /contains no rows/],
  ['nothing', Buffer.alloc(0), /is empty/],
  [
    'text',
    Buffer.from('time,close\n2026-03-01,1\n'),
    /is not a Parquet file that can be read \(.*\)\. Copy or write it again/,
  ],
  [
    'a claim of too many rows',
    claimingRows(10_000_000n),
    /a row group of 10000000 rows .*is too large\)\. Write it again with row groups of 100,000 rows/,
  ],
]

/** A file whose footer announces rows that do not exist. */
function claimingRows(rowCount: bigint): Uint8Array {
  const honest = parquet([{ name: 'time', data: [new Date(startAt), new Date(startAt)] }])
  const text = Buffer.from(honest)
  const varint = (value: bigint) => {
    const bytes: number[] = []
    for (let left = value * 2n; ; left >>= 7n) {
      if (left < 0x80n) return Buffer.from([...bytes, Number(left)])
      bytes.push(Number(left & 0x7fn) | 0x80)
    }
  }
  const footerLength = text.readUInt32LE(text.length - 8)
  const footer = text.subarray(text.length - 8 - footerLength, text.length - 8)
  // `num_rows` of file and row group: an i64 field whose value, 2, is written as 4.
  let patched = footer
  for (let at = patched.lastIndexOf(Buffer.from([0x16, 4])); at >= 0; ) {
    patched = Buffer.concat([patched.subarray(0, at + 1), varint(rowCount), patched.subarray(at + 2)])
    at = at === 0 ? -1 : patched.lastIndexOf(Buffer.from([0x16, 4]), at - 1)
  }
  const tail = Buffer.alloc(8)
  tail.writeUInt32LE(patched.length)
  tail.write('PAR1', 4)
  return Buffer.concat([text.subarray(0, text.length - 8 - footerLength), patched, tail])
}

it('omits candles without a price', async () => {
  const path = await file('BTCUSDT.parquet', parquet([time, { name: 'close', data: [1.5, null, Number.NaN] }]))
  expect((await read(path)).map(({ values }) => values)).toEqual([{ close: 1.5 }])
})

describe('a broken Parquet recording', () => {
  it.each(broken)('with %s is refused with its place and cause', async (_name, content, message) => {
    const path = await file('BTCUSDT.parquet', content)
    await expect(read(path)).rejects.toMatchObject({
      code: 'RECORDING_INVALID',
      message: expect.stringMatching(message),
    })
  })

  it('is refused wherever it is truncated', async () => {
    const whole = encodeArchive(Array.from({ length: 50 }, (_, index) => candle(index)))
    for (let length = 1; length < whole.length; length += 13) {
      const path = await file('BTCUSDT.parquet', whole.subarray(0, length))
      await expect(read(path)).rejects.toMatchObject({ code: 'RECORDING_INVALID' })
    }
  })

  it('yields rows or a CrunchError, whichever byte is damaged', { timeout: 60_000 }, async () => {
    const whole = encodeArchive(Array.from({ length: 50 }, (_, index) => candle(index)))
    const codes = new Map<string, number>()
    // The first three keep hyparquet 1.31.5 busy forever.
    for (const at of [16, 377, 630, ...Array.from({ length: 40 }, (_, index) => 4 + index * 101)]) {
      const damaged = Buffer.from(whole)
      damaged[at] = (damaged[at] ?? 0) ^ 0xff
      const path = await file('BTCUSDT.parquet', damaged)
      const outcome = await read(path).then(
        () => 'rows',
        (error: { readonly code?: string; readonly stack?: string }) => error.code ?? `${at}: ${error.stack}`,
      )
      codes.set(outcome, (codes.get(outcome) ?? 0) + 1)
    }
    expect([...codes.keys()].sort()).toEqual(['RECORDING_INVALID', 'rows'])
  })

  it('is refused when it is missing or its subject is ambiguous', async () => {
    await expect(read(join(folder, 'BTCUSDT.parquet'))).rejects.toThrow(/there is no such recording/)
    const path = await file('prices.parquet', parquet([time]))
    await expect(read(path)).rejects.toThrow(/contains none of the feed's subjects/)
    const archive = await file('prices.parquet', encodeArchive([candle(0)]))
    await expect(read(archive, candles, { subject: 'BTCUSDT' })).rejects.toThrow(/Remove the setting/)
  })
})
