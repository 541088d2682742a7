import { readFile } from 'node:fs/promises'
import { parquetWriteBuffer } from 'hyparquet-writer'
import { describe, expect, it } from 'vitest'
import { VariantType } from './generated/commons.ts'
import { readParquetRows } from './parquet-rows.ts'
import { readVariant } from './variant.ts'

const fixture = (name: string) => readFile(new URL(`../test/fixtures/${name}.parquet`, import.meta.url))

function written(columnData: Parameters<typeof parquetWriteBuffer>[0]['columnData'], codec?: 'UNCOMPRESSED'): Buffer {
  return Buffer.from(parquetWriteBuffer({ columnData, codec }))
}

describe('readParquetRows', () => {
  it('reads a pandas frame with snappy compression, as pyarrow writes it', async () => {
    expect(await readParquetRows(await fixture('predictions'))).toEqual([
      {
        subject: 'BTCUSDT',
        value: 0.5,
        count: 1,
        small: 1,
        sure: true,
        at: '2026-01-01T00:00:00.000Z',
        quantiles: [0.1, 0.9],
        range: { low: -1, high: 1 },
        row: 'a',
      },
      {
        subject: 'ETHUSDT',
        // pandas writes NaN as a missing value.
        value: null,
        count: 2n ** 53n + 1n,
        small: null,
        sure: false,
        at: '2026-01-01T00:00:01.500Z',
        quantiles: [],
        range: { low: 0, high: 2 },
        row: 'b',
      },
      {
        subject: null,
        value: Number.POSITIVE_INFINITY,
        count: -(2n ** 63n),
        small: 3,
        sure: true,
        at: null,
        quantiles: null,
        range: null,
        row: 'c',
      },
    ])
  })

  it('reads a frame without rows', async () => {
    expect(await readParquetRows(await fixture('empty'))).toEqual([])
  })

  it('reads files of another writer, many at a time', async () => {
    const files = Array.from({ length: 20 }, (_, index) =>
      written(
        [
          { name: 'value', data: [index, Number.NaN] },
          { name: 'subject', data: ['BTC', 'ETH'] },
        ],
        index % 2 === 0 ? 'UNCOMPRESSED' : undefined,
      ),
    )
    const all = await Promise.all(files.map((bytes) => readParquetRows(bytes)))
    expect(all).toEqual(
      files.map((_, index) => [
        { value: index, subject: 'BTC' },
        { value: Number.NaN, subject: 'ETH' },
      ]),
    )
  })

  it('reports why a file cannot be read', async () => {
    const good = await fixture('predictions')
    const refused: [Uint8Array, string | RegExp][] = [
      [Buffer.alloc(0), /./],
      [Buffer.from('PAR1'), /./],
      [good.subarray(0, good.length - 1), /footer/],
      [await fixture('zstd'), 'unsupported compression codec: ZSTD'],
      [
        written([{ name: 'n', data: new Float64Array(300_000) }]),
        '300000 rows of 1 columns are more than 250000 cells',
      ],
      [
        written([{ name: 'text', data: Array.from({ length: 40 }, () => 'x'.repeat(1_000_000)) }]),
        'longer than 16777216 characters',
      ],
    ]
    for (const [bytes, message] of refused) {
      await expect(readParquetRows(bytes)).rejects.toThrow(message)
    }
  })

  it('survives a file that claims to be huge, and reads the next one', async () => {
    const missing = 200_000
    const bytes = written(
      [{ name: 'n', data: [...Array(missing).fill(null), ...Array(8).fill(1.5)], type: 'DOUBLE' }],
      'UNCOMPRESSED',
    )
    // The last page has a run of missing values (three bytes of length, and 0) and a run of 8 others (0x10, 1). A run of two
    // thousand million values takes equally many bytes.
    const at = bytes.indexOf(Buffer.from([0x00, 0x10, 0x01]))
    expect(at).toBeGreaterThan(0)
    bytes.set([0xfe, 0xff, 0xff, 0xff, 0x0f, 0x00], at - 3)
    const results = await Promise.allSettled([1, 2, 3].map(() => readParquetRows(bytes)))
    for (const result of results) {
      expect(result).toMatchObject({
        status: 'rejected',
        reason: { message: expect.stringMatching(/^reading it takes (too much memory|longer than \d+ ms)$/) },
      })
    }
    expect(await readParquetRows(written([{ name: 'n', data: [1] }]))).toEqual([{ n: 1 }])
  })
})

describe('readVariant', () => {
  const limits = { maxValues: 100, maxCharacters: 1_000, maxDepth: 8 }

  it('refuses a file beyond the limits', async () => {
    const wide = written([{ name: 'n', data: new Float64Array(101) }])
    await expect(readVariant({ type: VariantType.PARQUET, value: wide }, limits)).rejects.toThrow('more than 100 cells')
    const long = written([{ name: 'text', data: ['x'.repeat(1_001)] }])
    await expect(readVariant({ type: VariantType.PARQUET, value: long }, limits)).rejects.toThrow(
      'than 1000 characters',
    )
  })

  it('returns a promise of rows for PARQUET, and any other value directly', async () => {
    const value = written([{ name: 'value', data: [0.5] }])
    expect(await readVariant({ type: VariantType.PARQUET, value }, limits)).toEqual([{ value: 0.5 }])
    expect(readVariant({ type: VariantType.STRING, value: Buffer.from('x') }, limits)).toBe('x')
    expect(readVariant(undefined, limits)).toBeNull()
    await expect(readVariant({ type: VariantType.PARQUET, value: Buffer.from('PAR1') }, limits)).rejects.toMatchObject({
      code: 'VARIANT_NOT_DECODABLE',
      message: expect.stringMatching(/^invalid PARQUET: /),
    })
    expect(() => readVariant({ type: VariantType.ARROW, value }, limits)).toThrow(
      'a variant of type ARROW is not supported',
    )
  })
})
