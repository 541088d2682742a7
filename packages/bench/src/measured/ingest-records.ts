import { setTimeout } from 'node:timers/promises'
import { candles, defineContract } from '@crunch/coordinator-node'
import { openPostgresStore } from '@crunch/coordinator-node/internal'
import { readSettings, runWorkers } from '@crunch/coordinator-node/workers'
import realtime from '../../../../templates/node/contract.ts'
import type { FeedSource, Log, SourceRecord } from '../engine.ts'
import type { Figures } from '../measurements.ts'

const recordCount = 100_000
const batchSize = 500
const minuteMs = 60_000
const pollMs = 10

const contract = defineContract({
  ...realtime,
  feed: candles({ source: 'bench', subjects: ['BTCUSDT'], granularity: '1m' }),
  prediction: { ...realtime.prediction, schedule: [{ subject: 'BTCUSDT', every: '1m', horizon: '5m', step: '1m' }] },
})

/** Rate at which the feed-data worker stores the records of a source. */
export async function ingestRecords(databaseUrl: string, log: Log): Promise<Figures> {
  const ending = new AbortController()
  // Opened before measuring starts, because opening migrates the database.
  const store = await openPostgresStore({ url: databaseUrl })
  let startedAt = Number.NaN
  const source = fastSource(() => {
    startedAt = performance.now()
  })
  const worker = runWorkers({
    workers: ['feed-data'],
    contract,
    settings: readSettings({}),
    codeHash: 'bench',
    databaseUrl,
    log,
    sources: new Map([['bench', source]]),
    signal: ending.signal,
  })
  try {
    await Promise.race([worker, allStored()])
    const lengthMs = performance.now() - startedAt
    return { recordsPerSecond: recordCount / (lengthMs / 1_000) }
  } finally {
    ending.abort()
    await worker
    await store.close()
  }

  async function allStored(): Promise<void> {
    while ((await store.feedStates())[0]?.recordCount !== recordCount) await setTimeout(pollMs)
  }
}

function fastSource(onStart: () => void): FeedSource {
  const scope = { source: 'bench', subject: 'BTCUSDT', kind: 'candle', granularity: '1m' }
  return {
    describe: async () => [
      { source: 'bench', subjects: [scope.subject], kind: scope.kind, granularities: [scope.granularity] },
    ],
    async *stream(_scopes, _from, signal) {
      onStart()
      for (let first = 0; first < recordCount && !signal.aborted; first += batchSize) {
        yield Array.from({ length: batchSize }, (_, index) => candle(first + index))
      }
    },
    async *history() {},
  }

  function candle(index: number): SourceRecord {
    const eventAt = (index + 27_000_000) * minuteMs
    const close = 60_000 + (index % 997) * 1.25
    const values = { open: close - 1, high: close + 2.5, low: close - 3.25, close, volume: 10 + (index % 13) }
    return { ...scope, eventAt, knownAt: eventAt + minuteMs, values }
  }
}
