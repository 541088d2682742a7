import { readFile } from 'node:fs/promises'
import { openPostgresStore } from '@crunch/coordinator-node/internal'
import type { Log } from '../engine.ts'
import type { Figures } from '../measurements.ts'
import { percentile } from '../percentile.ts'
import { startChild } from '../processes/child-process.ts'
import { load } from '../report/load.ts'
import { reportRoutes } from '../report/report-routes.ts'
import { fillReport } from '../report/report-rows.ts'
import type { ReportSize } from '../report/report-size.ts'
import { openStreams } from '../report/stream-clients.ts'

const periodMs = 600_000
const connectionCount = 64
const loadMs = 8_000
const streamCount = 500
const updateCount = 20

/** The API of a report worker on a filled database: its leaderboard under load, each other route, its stream, and its memory. */
export async function serveReport(databaseUrl: string, size: ReportSize, log: Log): Promise<Figures> {
  const store = await openPostgresStore({ url: databaseUrl })
  const endsAt = Math.floor(Date.now() / periodMs) * periodMs
  const startedAt = performance.now()
  await fillReport(databaseUrl, size, endsAt)
  const filled = (performance.now() - startedAt) / 1_000
  log.warn('the rows are written', { seconds: Math.round(filled) })
  const module = new URL('../processes/report-process.ts', import.meta.url)
  // It ends with this process, which the benchmark ends.
  const report = await startChild({ module, input: { databaseUrl }, signal: new AbortController().signal })
  const url = String(report.value.url)
  try {
    const board = { url, path: '/reports/leaderboard', connectionCount }
    await load({ ...board, durationMs: 1_000 })
    const zipped = await load({ ...board, durationMs: loadMs, headers: { 'accept-encoding': 'gzip' } })
    const plain = await load({ ...board, durationMs: loadMs })
    const routes = await measureRoutes(url, store)
    return {
      filled,
      boards: zipped.perSecond,
      boardP99: percentile(zipped.durations, 0.99),
      plainBoards: plain.perSecond,
      ...routes,
      update: await measureUpdates(url, store),
      reportMemory: await peakMemoryOf(Number(report.value.pid)),
    }
  } finally {
    await report.stop()
    await store.close()
  }
}

type Store = Awaited<ReturnType<typeof openPostgresStore>>

/** Each route alone, two requests at a time: its 99th percentile. */
async function measureRoutes(url: string, store: Store): Promise<Figures> {
  const [newest] = await store.predictionReports({ modelIds: ['model-1'], from: 0, to: Date.now(), limit: 1 })
  if (newest === undefined) throw new Error('there is no prediction')
  const { id: predictionId, roundId } = newest.prediction
  const p99s: Record<string, number> = {}
  for (const route of reportRoutes) {
    const path = route.replace('PREDICTION', predictionId).replace('ROUND', roundId)
    await load({ url, path, connectionCount: 2, durationMs: 300 })
    const { durations } = await load({ url, path, connectionCount: 2, durationMs: 1_500 })
    p99s[route] = percentile(durations, 0.99)
  }
  return p99s
}

/** From before a model is renamed until the last of all clients has heard of it, the slowest of some times. */
async function measureUpdates(url: string, store: Store): Promise<number> {
  const clients = await openStreams(url, '/reports/stream?topics=models', streamCount)
  const delays: number[] = []
  try {
    const [model] = await store.models()
    if (model === undefined) throw new Error('there is no model')
    for (let count = 0; count < updateCount; count += 1) {
      const heard = clients.nextEvents()
      const sentAt = performance.now()
      await store.registerModels([{ ...model, name: `renamed ${count}` }], Date.now())
      delays.push(Math.max(...(await heard)) - sentAt)
    }
  } finally {
    clients.close()
  }
  return Math.max(...delays)
}

async function peakMemoryOf(pid: number): Promise<number> {
  const kilobytes = /VmHWM:\s+(\d+) kB/.exec(await readFile(`/proc/${pid}/status`, 'utf8'))?.[1]
  if (kilobytes === undefined) throw new Error(`/proc/${pid}/status has no VmHWM`)
  return Number(kilobytes) / 1_000
}
