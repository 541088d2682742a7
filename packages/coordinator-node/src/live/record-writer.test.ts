import { describe, expect, test } from 'vitest'
import { candle } from '../ports/store-samples.ts'
import { createRecordWriter } from './record-writer.ts'

describe('the record writer', () => {
  test('takes along what comes while it writes, in order', async () => {
    const batches: number[] = []
    const order: number[] = []
    let release = () => {}
    const writer = createRecordWriter(async (records) => {
      batches.push(records.length)
      order.push(...records.map(({ values }) => values.close as number))
      if (batches.length === 1)
        await new Promise<void>((resolve) => {
          release = resolve
        })
    })
    const writes = [0, 1, 2, 3].map((count) => writer.write([candle(count, { close: count })]))
    await Promise.resolve()
    await Promise.resolve()
    release()
    await Promise.all(writes)
    expect(order).toEqual([0, 1, 2, 3])
    expect(batches.reduce((sum, count) => sum + count, 0)).toBe(4)
    expect(batches.length).toBeLessThan(4)
  })

  test('splits what is too much for one write', async () => {
    const batches: number[] = []
    const writer = createRecordWriter(async (records) => batches.push(records.length))
    await writer.write(Array.from({ length: 2_500 }, (_, count) => candle(count)))
    expect(batches).toEqual([1_000, 1_000, 500])
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
