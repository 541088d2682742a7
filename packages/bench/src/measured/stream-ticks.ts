import { setTimeout } from 'node:timers/promises'
import { defineContract, ticks } from '@crunch/coordinator-node'
import { openPostgresStore } from '@crunch/coordinator-node/internal'
import { readSettings, runWorkers } from '@crunch/coordinator-node/workers'
import realtime from '../../../../templates/node/contract.ts'
import { createBinanceSource, type Log } from '../engine.ts'
import type { Figures } from '../measurements.ts'
import { startChild } from '../processes/child-process.ts'

const subjects = Array.from({ length: 50 }, (_, index) => `COIN${index}USDT`)
const warmUpMs = 5_000
const measuredMs = 30_000
const pollMs = 50

const contract = defineContract({
  ...realtime,
  feed: ticks({ source: 'binance', subjects, granularity: '1s' }),
  input: { ...realtime.input, build: ({ subject }) => ({ subject, closes: [] }) },
  prediction: { ...realtime.prediction, schedule: [{ subject: 'COIN0USDT', every: '1m', horizon: '5m', step: '1m' }] },
  truth: { ...realtime.truth, resolve: ({ entry, exit }) => ({ return: exit.values.price / entry.values.price - 1 }) },
})

/** CPU use of the feed-data worker while many subjects tick once a second. */
export async function streamTicks(databaseUrl: string, log: Log): Promise<Figures> {
  const ending = new AbortController()
  const store = await openPostgresStore({ url: databaseUrl })
  const exchange = await startChild({
    module: new URL('../processes/exchange-process.ts', import.meta.url),
    input: { symbols: subjects },
    signal: ending.signal,
  })
  const { restUrl, streamUrl } = exchange.value as { restUrl: string; streamUrl: string }
  const worker = runWorkers({
    workers: ['feed-data'],
    contract,
    settings: readSettings({}),
    codeHash: 'bench',
    databaseUrl,
    log,
    sources: new Map([['binance', createBinanceSource({ restUrl, streamUrl })]]),
    signal: ending.signal,
  })
  try {
    return await Promise.race([worker.then(endedEarly), measure()])
  } finally {
    ending.abort()
    await worker
    await exchange.stop()
    await store.close()
  }

  async function measure(): Promise<Figures> {
    while ((await storedCount()) < subjects.length) await setTimeout(pollMs)
    await setTimeout(warmUpMs)
    const recordsBefore = await storedCount()
    const usageBefore = process.cpuUsage()
    const startedAt = performance.now()
    await setTimeout(measuredMs)
    const lengthMs = performance.now() - startedAt
    const { user, system } = process.cpuUsage(usageBefore)
    return {
      share: (100 * (user + system)) / 1_000 / lengthMs,
      recordsPerSecond: ((await storedCount()) - recordsBefore) / (lengthMs / 1_000),
    }
  }

  async function storedCount(): Promise<number> {
    return (await store.feedStates()).reduce((sum, { recordCount }) => sum + recordCount, 0)
  }
}

function endedEarly(): never {
  throw new Error('the worker ended before it was measured')
}
