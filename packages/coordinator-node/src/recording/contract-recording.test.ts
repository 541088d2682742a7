import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { afterAll, describe, expect, test } from 'vitest'
import { z } from 'zod'
import { changedContract, market } from '../../test/sample-contract.ts'
import { CrunchError } from '../domain/errors.ts'
import type { SourceRecord } from '../ports/feed-source.ts'
import { btc, eth, minute } from '../ports/store-samples.ts'
import { contractRecording } from './contract-recording.ts'

const folder = mkdtempSync(join(tmpdir(), 'contract-recording-'))
afterAll(() => rmSync(folder, { recursive: true }))

function write(name: string, subject: string, closes: readonly unknown[]): string {
  const rows = closes.map((close, count) => `${new Date(minute(count)).toISOString()},${subject},${close}`)
  writeFileSync(join(folder, name), ['event_at,subject,close', ...rows, ''].join('\n'))
  return join(folder, name)
}

async function read(source: ReturnType<typeof contractRecording>, scopes = [btc, eth]): Promise<SourceRecord[]> {
  const records: SourceRecord[] = []
  for await (const batch of source.stream(scopes, new Map(), new AbortController().signal)) records.push(...batch)
  return records
}

const gold = { ...market, source: 'pyth', subjects: ['XAU'], kind: 'tick' }

describe('contractRecording', () => {
  test('reads files as the feed of the contract: its scope, and values by its schema', async () => {
    const path = write('any.csv', 'BTCUSDT', [100, 101])
    expect(await read(contractRecording(changedContract({}), [path]))).toEqual(
      [100, 101].map((close, count) => ({
        ...btc,
        eventAt: minute(count),
        knownAt: minute(count + 1),
        values: { close },
      })),
    )
  })

  test('names the row whose values the schema refuses', async () => {
    const path = write('broken.csv', 'BTCUSDT', [100, 'high'])
    await expect(read(contractRecording(changedContract({}), [path]))).rejects.toThrow(/broken\.csv.*close/s)
  })

  test.each(['empty.csv', 'empty.csv.gz', 'empty.ndjson'])(
    'refuses an empty cell in %s where the schema coerces',
    async (name) => {
      const feed = { ...market, kind: 'load', values: z.object({ close: z.coerce.number() }) }
      const lines = name.endsWith('.ndjson')
        ? [100, null].map((close, count) => JSON.stringify({ time: minute(count), subject: 'BTCUSDT', close }))
        : ['time,subject,close', `${minute(0)},BTCUSDT,100`, `${minute(1)},BTCUSDT,`]
      const path = join(folder, name)
      writeFileSync(path, name.endsWith('.gz') ? gzipSync(lines.join('\n')) : lines.join('\n'))
      const line = name.endsWith('.ndjson') ? 2 : 3
      const reason = `${name}, line ${line}: the feed's schema refuses the values (close: is empty`
      const scopes = [{ ...btc, kind: 'load' }]
      await expect(read(contractRecording(changedContract({ feed }), [path]), scopes)).rejects.toThrow(reason)
      const optional = { ...feed, values: z.object({ close: z.coerce.number().optional() }) }
      const found = await read(contractRecording(changedContract({ feed: optional }), [path]), scopes)
      expect(found.map(({ values }) => values)).toEqual([{ close: 100 }, {}])
    },
  )

  test('finds the feed of a file by its name when there are several', async () => {
    const paths = [write('binance-BTCUSDT.csv', 'BTCUSDT', [100]), write('pyth-XAU.csv', 'XAU', [4_000])]
    const source = contractRecording(changedContract({ feed: [market, gold] }), paths)
    const goldScope = { source: 'pyth', subject: 'XAU', kind: 'tick', granularity: '1m' }
    const records = await read(source, [btc, goldScope])
    expect(records.map(({ source, subject, kind, knownAt }) => [source, subject, kind, knownAt])).toEqual([
      ['pyth', 'XAU', 'tick', minute(0)],
      ['binance', 'BTCUSDT', 'candle', minute(1)],
    ])
  })

  test('distinguishes two feeds of one subject by the full name of a series', async () => {
    const other = { ...market, source: 'kraken' }
    const paths = ['kraken', 'binance'].map((source, index) =>
      write(`${source}-BTCUSDT-candle-1m.csv`, 'BTCUSDT', [100 + index]),
    )
    const source = contractRecording(changedContract({ feed: [market, other] }), paths)
    const records = await read(source, [btc, { ...btc, source: 'kraken' }])
    expect(records.map((record) => [record.source, record.values.close])).toEqual([
      ['binance', 101],
      ['kraken', 100],
    ])
  })

  test.each([
    ['none', 'unnamed.csv', 0],
    ['two', 'binance-pyth.csv', 2],
  ])('refuses a file whose name matches %s of several feeds', (_, name, count) => {
    const contract = changedContract({ feed: [market, gold] })
    const open = () => contractRecording(contract, [write(name, 'BTCUSDT', [100])])
    expect(open).toThrow(CrunchError)
    expect(open).toThrow(`the contract has 2 feeds, and the file's name fits ${count} of them`)
  })

  test('refuses a contract without a feed', () => {
    expect(() => contractRecording(changedContract({ feed: [] }), [])).toThrow('the contract has no feed to replay')
  })
})
