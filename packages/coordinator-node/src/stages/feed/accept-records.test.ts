import { describe, expect, test } from 'vitest'
import { z } from 'zod'
import { market, resolvedContract } from '../../../test/sample-contract.ts'
import { createTestLog } from '../../../test/test-log.ts'
import { createMemoryStore } from '../../adapters/store/memory/memory-store.ts'
import { btc, candle, minute } from '../../ports/store-samples.ts'
import { acceptRecords } from './accept-records.ts'
import { storeRecords } from './store-records.ts'

function open(changes = {}) {
  const store = createMemoryStore()
  const log = createTestLog()
  const resolved = resolvedContract(changes)
  async function take(...records: Parameters<typeof candle>[]) {
    const given = records.map((record) => candle(...record))
    return storeRecords({ store, log }, acceptRecords(resolved, log, given))
  }
  return { store, log, take }
}

describe('incoming records', () => {
  test("are stored with values parsed by their feed's schema", async () => {
    const { store, log, take } = open()
    expect(await take([0, { close: 1, volume: 5 }], [1, { close: 2 }])).toHaveLength(2)
    const stored = await store.latestRecords(btc, 10, minute(60))
    expect(stored.map((record) => record.values)).toEqual([{ close: 1 }, { close: 2 }])
    expect(log.lines).toEqual([])
  })

  test('are rejected with the reason when they violate the schema or belong to no feed; the rest is stored', async () => {
    const { store, log, take } = open()
    const other = { ...btc, subject: 'SOLUSDT' }
    const stored = await take([0, { close: 'high' }], [1, {}, other], [2, { close: 3 }])
    expect(stored).toMatchObject([{ eventAt: minute(2) }])
    expect(log.lines.map(({ level, fields }) => [level, fields.scope, fields.reason])).toEqual([
      ['error', 'binance:BTCUSDT:candle:1m', 'close: Invalid input: expected number, received string, found "high"'],
      ['error', 'binance:SOLUSDT:candle:1m', 'no feed of the contract carries this series'],
    ])
    expect((await store.feedStates()).map((state) => state.recordCount)).toEqual([1])
  })

  test('are rejected when they are empty or missing, also by a schema that coerces', async () => {
    const { store, log, take } = open({ feed: { ...market, values: z.object({ close: z.coerce.number() }) } })
    await take([0, { close: null }], [1, { close: ' ' }], [2, { clse: 3 }], [3, { close: '4' }])
    expect(log.lines.map(({ fields }) => fields.reason)).toEqual([
      'close: is empty; if it may be, add .optional() or .nullable() to its schema',
      'close: is empty; if it may be, add .optional() or .nullable() to its schema',
      'close: is missing (expected number), did you mean "clse"? There is clse',
    ])
    expect((await store.latestRecords(btc, 9, minute(60))).map(({ values }) => values)).toEqual([{ close: 4 }])
  })

  test('are named as a whole when no single value is at fault', async () => {
    const { log, take } = open({ feed: { ...market, values: z.number() } })
    await take([0])
    expect(log.lines[0]?.fields.reason).toMatch(/^values: Invalid input/)
  })

  test('change nothing the second time; a revision is logged as a warning', async () => {
    const { store, log, take } = open()
    await take([0, { close: 1 }])
    expect(await take([0, { close: 1 }])).toEqual([])
    expect(log.lines).toEqual([])
    expect(await take([0, { close: 9 }])).toEqual([])
    expect(log.lines).toMatchObject([
      { level: 'warn', message: 'a provider revised a record; the first version is kept', fields: { stage: 'feed' } },
    ])
    expect((await store.latestRecords(btc, 1, minute(60)))[0]?.values).toEqual({ close: 1 })
  })
})
