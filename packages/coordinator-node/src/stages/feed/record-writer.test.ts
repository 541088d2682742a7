import { describe, expect, test } from 'vitest'
import { candle } from '../../ports/store-samples.ts'
import { createRecordWriter } from './record-writer.ts'

describe('the record writer', () => {
  test('collects records that arrive during a write for the next one, in order', async () => {
    const batches: number[][] = []
    let release = () => {}
    const writer = createRecordWriter(async (records) => {
      batches.push(records.map(({ values }) => values.close as number))
      await new Promise<void>((resolve) => {
        release = resolve
      })
    })
    const write = (count: number) => writer.write([candle(count, { close: count })])
    const first = write(0)
    const rest = [1, 2, 3].map(write)
    release()
    await first
    // The caller of the first write adds another record while the others are being written.
    const last = write(4)
    release()
    await Promise.all(rest)
    release()
    await last
    expect(batches).toEqual([[0], [1, 2, 3], [4]])
  })

  test('writes the records of one caller together, and limits how many callers share a write', async () => {
    const batches: number[] = []
    let release = () => {}
    const writer = createRecordWriter(async (records) => {
      batches.push(records.length)
      if (batches.length === 1) {
        await new Promise<void>((resolve) => {
          release = resolve
        })
      }
    })
    const many = (length: number) => writer.write(Array.from({ length }, (_, count) => candle(count)))
    const writes = [1, 600, 600, 10, 2_500].map(many)
    release()
    await Promise.all(writes)
    expect(batches).toEqual([1, 1_200, 2_510])
  })

  test('rejects a failed write and all later ones', async () => {
    let count = 0
    const writer = createRecordWriter(async () => {
      count += 1
      throw new Error('no database')
    })
    const first = writer.write([candle(0)])
    await expect(first).rejects.toThrow('no database')
    await expect(writer.write([candle(1)])).rejects.toThrow('no database')
    expect(count).toBe(1)
  })
})
