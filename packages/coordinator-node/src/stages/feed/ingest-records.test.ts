import { describe, expect, test } from 'vitest'
import { z } from 'zod'
import { market, resolvedContract } from '../../../test/sample-contract.ts'
import { createTestLog } from '../../../test/test-log.ts'
import { createMemoryStore } from '../../adapters/store/memory/memory-store.ts'
import { btc, candle, minute } from '../../ports/store-samples.ts'
import { ingestRecords } from './ingest-records.ts'

function open(changes = {}) {
  const store = createMemoryStore()
  const log = createTestLog()
  const resolved = resolvedContract(changes)
  const ingest = (...records: Parameters<typeof candle>[]) =>
    ingestRecords(
      resolved,
      { store, log },
      records.map((record) => candle(...record)),
    )
  return { store, log, ingest }
}

describe('ingestRecords', () => {
  test('stores records with the values that the schema of their feed gives', async () => {
    const { store, log, ingest } = open()
    expect(await ingest([0, { close: 1, volume: 5 }], [1, { close: 2 }])).toMatchObject({ rejectedCount: 0 })
    const stored = await store.latestRecords(btc, 10, minute(60))
    expect(stored.map((record) => record.values)).toEqual([{ close: 1 }, { close: 2 }])
    expect(log.lines).toEqual([])
  })

  test('rejects what breaks the schema or belongs to no feed, says which and why, and stores the rest', async () => {
    const { store, log, ingest } = open()
    const other = { ...btc, subject: 'SOLUSDT' }
    const ingested = await ingest([0, { close: 'high' }], [1, {}, other], [2, { close: 3 }])
    expect(ingested).toMatchObject({ rejectedCount: 2, inserted: [{ eventAt: minute(2) }] })
    expect(log.lines.map(({ level, fields }) => [level, fields.scope, fields.reason])).toEqual([
      ['error', 'binance:BTCUSDT:candle:1m', 'close: Invalid input: expected number, received string'],
      ['error', 'binance:SOLUSDT:candle:1m', 'no feed of the contract carries this series'],
    ])
    expect((await store.feedStates()).map((state) => state.recordCount)).toEqual([1])
  })

  test('names the values as a whole when no single one is to blame', async () => {
    const { log, ingest } = open({ feed: { ...market, values: z.number() } })
    await ingest([0])
    expect(log.lines[0]?.fields.reason).toMatch(/^values: Invalid input/)
  })

  test('takes the same record twice as nothing, and warns of a revision', async () => {
    const { store, log, ingest } = open()
    await ingest([0, { close: 1 }])
    expect(await ingest([0, { close: 1 }])).toMatchObject({ inserted: [], duplicateCount: 1, revisions: [] })
    expect(log.lines).toEqual([])
    expect(await ingest([0, { close: 9 }])).toMatchObject({ inserted: [], revisions: [{ values: { close: 9 } }] })
    expect(log.lines).toMatchObject([
      { level: 'warn', message: 'a provider revised a record; the first version is kept', fields: { stage: 'feed' } },
    ])
    expect((await store.latestRecords(btc, 1, minute(60)))[0]?.values).toEqual({ close: 1 })
  })
})
