import { describe, expect, test } from 'vitest'
import { candle } from '../../ports/store-samples.ts'
import { createRecordWriter } from './record-writer.ts'

describe('the record writer', () => {
  test('takes along what comes while it writes, in order', async () => {
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
    // Whoever waited for the first write brings the next record while the others are being written.
    const last = write(4)
    release()
    await Promise.all(rest)
    release()
    await last
    expect(batches).toEqual([[0], [1, 2, 3], [4]])
  })

  test('writes what one caller brings as a whole, and no more than enough of several at once', async () => {
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

  test('rejects what could not be stored, and all behind it', async () => {
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
