import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { isDeepStrictEqual } from 'node:util'
import { candles, defineContract } from '@crunch/coordinator-node'
import {
  createRecordingSource,
  newBackfillJob,
  openPostgresStore,
  resolveContract,
  type Store,
} from '@crunch/coordinator-node/internal'
import realtime from '../../../../templates/node/contract.ts'
import {
  appendToArchive,
  archiveFolder,
  backfillWriter,
  type FeedSource,
  type Log,
  runBackfill,
  type SourceRecord,
  wallTiming,
} from '../engine.ts'
import type { Figures } from '../measurements.ts'

const recordCount = 1_000_000
const pageRecords = 1_000
const minuteMs = 60_000
const startAt = 27_000_000 * minuteMs
const endAt = startAt + recordCount * minuteMs
const scope = { source: 'bench', subject: 'BTCUSDT', kind: 'candle', granularity: '1m' }
/** Records read back are stored under another series, to be compared with the written ones. */
const again = { ...scope, source: 'again' }

const feed = (source: string) => candles({ source, subjects: [scope.subject], granularity: '1m' })
const resolved = resolveContract(
  defineContract({
    ...realtime,
    feed: [feed(scope.source), feed(again.source)],
    prediction: { ...realtime.prediction, schedule: [{ subject: 'BTCUSDT', every: '1m', horizon: '5m', step: '1m' }] },
  }),
)

/** Durations of writing a million candles into the tables, exporting them to Parquet, and importing them again. */
export async function backfillCandles(databaseUrl: string, log: Log): Promise<Figures> {
  const folder = await mkdtemp(join(tmpdir(), 'crunch-bench-archive-'))
  const store = await openPostgresStore({ url: databaseUrl })
  try {
    const files = [{ path: archiveFolder(folder, scope) }]
    const recording = createRecordingSource({ files, series: { ...scope, subjects: [scope.subject] } })
    const tables = await backfilled(store, log, sourceOf(madePages), toTables(store, log, scope))
    const stored = sourceOf(() => storedPages(store, scope))
    const write = (records: readonly SourceRecord[]) => appendToArchive(folder, records)
    const parquet = await backfilled(store, log, stored, { write, batchRecords: 100_000 })
    const back = await backfilled(store, log, recording, toTables(store, log, again))
    return { tables, parquet, again: back, different: await differentCount(store) }
  } finally {
    await store.close()
    await rm(folder, { recursive: true, force: true })
  }
}

/** Duration of one complete backfill, in seconds. */
async function backfilled(
  store: Store,
  log: Log,
  source: FeedSource,
  writer: ReturnType<typeof backfillWriter>,
): Promise<number> {
  const id = String((await store.backfillJobs()).length)
  const job = newBackfillJob({ id, scope, from: startAt, to: endAt, target: 'tables', directory: null }, Date.now())
  await store.addBackfillJob(job)
  const startedAt = performance.now()
  const patience = { firstMs: 1_000, longestMs: 60_000 }
  const signal = new AbortController().signal
  const rest = { store, source, log, timing: wallTiming, patience, maxTries: 1, signal }
  const ended = await runBackfill(id, { ...rest, ...writer })
  if (ended.recordCount !== recordCount) throw new Error(`backfilled ${ended.recordCount} records: ${ended.error}`)
  return (performance.now() - startedAt) / 1_000
}

function toTables(store: Store, log: Log, into: typeof scope): ReturnType<typeof backfillWriter> {
  const job = { scope: into, target: 'tables', directory: null } as const
  const writer = backfillWriter(job, { resolved, store, log, now: wallTiming.now })
  return { ...writer, write: (records) => writer.write(records.map((record) => ({ ...record, source: into.source }))) }
}

function sourceOf(pages: () => AsyncIterable<readonly SourceRecord[]>): FeedSource {
  return {
    describe: async () => [
      { source: scope.source, subjects: [scope.subject], kind: scope.kind, granularities: [scope.granularity] },
    ],
    async *stream() {},
    history: pages,
  }
}

async function* madePages() {
  for (let first = 0; first < recordCount; first += pageRecords) {
    yield Array.from({ length: pageRecords }, (_, index) => candle(first + index))
  }
}

async function* storedPages(store: Store, of: typeof scope): AsyncGenerator<readonly SourceRecord[]> {
  for (let cursor = { knownAt: 0, eventAt: 0 }; ; ) {
    const page = await store.recordsBehind(of, cursor, 5_000)
    const last = page.at(-1)
    if (last === undefined) return
    yield page.map(({ receivedAt: _received, ...record }) => record)
    cursor = last
  }
}

async function differentCount(store: Store): Promise<number> {
  const others = storedPages(store, again)
  let different = 0
  for await (const page of storedPages(store, scope)) {
    const other = (await others.next()).value ?? []
    for (const [index, record] of page.entries()) {
      if (!isDeepStrictEqual({ ...record, source: again.source }, other[index])) different += 1
    }
  }
  return different
}

function candle(index: number): SourceRecord {
  const eventAt = startAt + index * minuteMs
  const close = 60_000 + (index % 997) * 1.25
  const values = { open: close - 1, high: close + 2.5, low: close - 3.25, close, volume: 10 + (index % 13) }
  return { ...scope, eventAt, knownAt: eventAt + minuteMs, values }
}
