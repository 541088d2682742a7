import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { afterEach, expect, test } from 'vitest'
import { createRecordingSource } from '../src/adapters/feeds/recording/index.ts'
import { archiveFolder } from '../src/adapters/feeds/recording/series-path.ts'
import { openPostgresStore } from '../src/adapters/store/postgres/postgres-store.ts'
import { newBackfillJob } from '../src/domain/backfill-job.ts'
import type { SourceRecord } from '../src/ports/feed-source.ts'
import type { Store } from '../src/ports/store.ts'
import { btc, candle, minute } from '../src/ports/store-samples.ts'
import { createMigratedDatabase } from './migrated-database.ts'
import { seededRandom } from './seeded-random.ts'

// CRUNCH_KILLS sets the number of kills, CRUNCH_SEED their times. The output of a run contains its seed.
const killCount = Number(process.env.CRUNCH_KILLS ?? 3)
const seed = Number(process.env.CRUNCH_SEED ?? Date.now() % 2 ** 31)
const count = 20_000
const id = 'job'

const endings: (() => unknown)[] = []
afterEach(async () => {
  for (const end of endings.splice(0).reverse()) await end()
})

test.each(['tables', 'parquet'] as const)(
  `a backfill into %s that is killed ${killCount} times stores the same as an undisturbed one`,
  async (target) => {
    const database = await createMigratedDatabase()
    endings.push(() => database.drop())
    const folder = await mkdtemp(join(tmpdir(), 'killed-backfill-'))
    endings.push(() => rm(folder, { recursive: true, force: true }))
    const store = await openPostgresStore({ url: database.url })
    endings.push(() => store.close())
    const directory = target === 'parquet' ? folder : null
    await store.addBackfillJob(
      newBackfillJob({ id, scope: btc, from: minute(0), to: minute(count), target, directory }, minute(0)),
    )
    const random = seededRandom(seed)
    for (let kill = 0; kill < killCount; kill += 1) {
      const { child, exited } = startBackfill(database.url)
      await reached(store, ((kill + random()) / killCount) * count * 0.9, child)
      child.kill('SIGKILL')
      await exited
    }
    console.log(`killed ${killCount} times, seed ${seed}`)
    const last = startBackfill(database.url)
    await last.exited
    expect(last.child.exitCode).toBe(0)
    expect(await store.backfillJobs()).toMatchObject([
      { status: 'completed', cursor: minute(count), recordCount: count },
    ])
    const expected = Array.from({ length: count }, (_, index) => sourceRecord(candle(index)))
    expect(await (target === 'tables' ? fromTables(store) : fromArchive(folder))).toEqual(expected)
    if (target === 'parquet') return
    expect(await store.feedStates()).toMatchObject([
      { recordCount: count, revisionCount: 0, watermarkAt: minute(count), oldestEventAt: minute(0) },
    ])
  },
  60_000 + killCount * 10_000,
)

function startBackfill(databaseUrl: string) {
  const program = fileURLToPath(new URL('./backfill-in-child.mjs', import.meta.url))
  const contract = fileURLToPath(new URL('./counted-candles-contract-file.ts', import.meta.url))
  const child = spawn(process.execPath, [program, databaseUrl, id, contract], {
    stdio: ['ignore', 'ignore', 'inherit'],
  })
  // On a busy machine it may have ended by itself before it is killed.
  const exited = once(child, 'exit')
  endings.push(async () => {
    child.kill('SIGKILL')
    await exited
  })
  return { child, exited }
}

/** Waits until the job has reached an instant; rejects if its process ends before. */
async function reached(store: Store, recordCount: number, child: ChildProcess): Promise<void> {
  while (((await store.backfillJobs())[0]?.recordCount ?? 0) < recordCount) {
    if (child.exitCode !== null) throw new Error(`the backfill ended with ${child.exitCode}`)
    await setTimeout(2)
  }
}

function sourceRecord<Record extends SourceRecord>(record: Record): SourceRecord {
  const { source, subject, kind, granularity, eventAt, knownAt, values } = record
  return { source, subject, kind, granularity, eventAt, knownAt, values }
}

async function fromTables(store: Store): Promise<SourceRecord[]> {
  return (await store.latestRecords(btc, 2 * count, Number.MAX_SAFE_INTEGER)).map(sourceRecord)
}

async function fromArchive(folder: string): Promise<SourceRecord[]> {
  const { subject, ...series } = btc
  const files = [{ path: archiveFolder(folder, btc) }]
  const source = createRecordingSource({ files, series: { ...series, subjects: [subject] } })
  const found: SourceRecord[] = []
  for await (const page of source.history(btc, minute(0), minute(count), AbortSignal.timeout(60_000)))
    found.push(...page)
  return found
}
