import { startEmbeddedPostgres } from '@crunch/embedded-postgres'
import { createTestDatabase } from '@crunch/embedded-postgres/test-database'
import { createWorkbench } from '@crunch/embedded-postgres/testkit'
import postgres from 'postgres'
import { afterEach, expect, it, vi } from 'vitest'
import type { CrunchError } from '../../../../domain/errors.ts'
import type { FeedRecord } from '../../../../domain/feed-record.ts'
import type { Store } from '../../../../ports/store.ts'
import {
  answeredRound,
  btc,
  candle,
  minute,
  prepare,
  resolveAll,
  round,
  settleRequest,
} from '../../../../ports/store-samples.ts'
import { openPostgresStore, type PostgresStoreOptions } from '../postgres-store.ts'
import { kill, openStoreInChild, outcomeOf } from '../store-in-child.testkit.ts'

const cleanups: (() => Promise<void>)[] = []

afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup()
})

async function newDatabase(): Promise<string> {
  const database = await createTestDatabase()
  cleanups.push(() => database.drop())
  return database.url
}

async function open(options: PostgresStoreOptions): Promise<Store> {
  const store = await openPostgresStore(options)
  cleanups.push(() => store.close())
  return store
}

/** Terminates the database sessions whose last statement matches; returns their number. */
async function endSessions(url: string, statement: string): Promise<number> {
  const sql = postgres(url, { max: 1, onnotice: () => undefined })
  try {
    const ended = await sql`
      select pg_terminate_backend(pid) from pg_stat_activity
      where datname = current_database() and pid <> pg_backend_pid() and query ilike ${statement}`
    return ended.length
  } finally {
    await sql.end({ timeout: 5 })
  }
}

it('rejects instead of hanging while the database is down, and a new store works once it is back', async () => {
  const workbench = createWorkbench()
  cleanups.push(() => workbench.cleanUp())
  const directory = await workbench.newDirectory()
  const first = await startEmbeddedPostgres({ directory, fsync: false })
  const store = await open({ url: first.url })
  await prepare(store)
  await store.openRound(round(0))
  await first.stop()
  for (let attempt = 0; attempt < 3; attempt += 1) {
    const rejected = await store.appendRecords([candle(0)]).catch((error: CrunchError) => error)
    expect(rejected).toMatchObject({ code: 'STORE_UNAVAILABLE' })
    expect(rejected).toHaveProperty('cause')
  }
  await expect(openPostgresStore({ url: first.url })).rejects.toMatchObject({ code: 'STORE_UNAVAILABLE' })
  const second = await startEmbeddedPostgres({ directory, fsync: false })
  cleanups.push(() => second.stop())
  const again = await open({ url: second.url })
  expect(await again.unansweredRounds()).toEqual([round(0)])
  expect((await again.appendRecords([candle(0)])).inserted).toHaveLength(1)
})

it('applies nothing when the connection breaks during a settlement', async () => {
  const url = await newDatabase()
  const store = await open({ url, maxConnections: 1 })
  await prepare(store)
  for (const count of [0, 1]) await answeredRound(store, round(count))
  const sql = postgres(url, { max: 1, onnotice: () => undefined })
  try {
    // The server ends the session while it writes the settlement.
    await sql.unsafe(`
      create function end_session() returns trigger language plpgsql as
        $$ begin perform pg_terminate_backend(pg_backend_pid()); return new; end $$;
      create trigger end_session after update on inputs for each row execute function end_session()`)
    const settle = () => store.settleRounds(settleRequest({ now: minute(90), limit: 10 }), (due) => resolveAll(due))
    await expect(settle()).rejects.toMatchObject({ code: 'STORE_UNAVAILABLE' })
    expect(await store.roundCounts()).toMatchObject({ unresolvedCount: 2 })
    expect(await store.periodResults(minute(0), minute(99))).toMatchObject(
      Array.from({ length: 4 }, () => ({ predictionStatus: 'PENDING', scoreKind: null })),
    )
    await sql.unsafe('drop trigger end_session on inputs')
    expect((await settle()).resolvedCount).toBe(2)
  } finally {
    await sql.end({ timeout: 5 })
  }
})

it('reports a lost lease, which another holder can take', async () => {
  const url = await newDatabase()
  const store = await open({ url })
  const lease = await store.takeLease('predict')
  expect(await endSessions(url, '%insert into leases%')).toBe(1)
  await lease?.lost
  const again = await (await open({ url })).takeLease('predict')
  expect(again).not.toBeNull()
  await lease?.release()
})

it('does not report a released lease as lost', async () => {
  const store = await open({ url: await newDatabase() })
  const lease = await store.takeLease('predict')
  let isLost = false
  lease?.lost.then(() => {
    isLost = true
  })
  await lease?.release()
  const next = await store.takeLease('predict')
  expect(next).not.toBeNull()
  expect(isLost).toBe(false)
})

it('frees the lease of a process that is killed', async () => {
  const url = await newDatabase()
  const child = openStoreInChild(url, 'predict')
  cleanups.push(() => kill(child))
  expect(await outcomeOf(child)).toEqual({ hasLease: true })
  const store = await open({ url })
  expect(await store.takeLease('predict')).toBeNull()
  await kill(child)
  await vi.waitFor(async () => expect(await store.takeLease('predict')).not.toBeNull(), { timeout: 10_000 })
})

it('reports a lost subscription once and then rejects all calls, because records may have been missed', async () => {
  const url = await newDatabase()
  const losses: CrunchError[] = []
  const heard: FeedRecord[] = []
  const store = await open({ url, onConnectionLost: (error) => losses.push(error) })
  const writer = await open({ url, announceRecords: true })
  await store.subscribeRecords((records) => heard.push(...records))
  await writer.appendRecords([candle(0)])
  await vi.waitFor(() => expect(heard).toEqual([candle(0)]), { timeout: 10_000 })
  expect(await endSessions(url, 'listen%')).toBe(1)
  await vi.waitFor(() => expect(losses).toHaveLength(1), { timeout: 10_000 })
  expect(losses[0]).toMatchObject({ code: 'STORE_UNAVAILABLE' })
  await expect(store.latestRecords(btc, 1, minute(9))).rejects.toBe(losses[0])
  await expect(writer.latestRecords(btc, 1, minute(9))).resolves.toHaveLength(1)
})

it('uses a new connection for the next call when one of the pool breaks', async () => {
  const url = await newDatabase()
  const store = await open({ url, maxConnections: 1 })
  await store.newestWatermark()
  await endSessions(url, '%watermark%')
  await vi.waitFor(async () => expect(await store.newestWatermark()).toBeNull(), { timeout: 10_000 })
})

it('shows the address of the database without its password', async () => {
  const url = new URL(await newDatabase())
  url.password = 'secret-pass'
  url.username = 'nobody-known'
  const error = await openPostgresStore({ url: url.href }).catch((rejected: CrunchError) => rejected)
  expect(error).toMatchObject({ code: 'STORE_UNAVAILABLE', message: expect.stringContaining('nobody-known') })
  expect((error as CrunchError).message).not.toContain('secret-pass')
  await expect(openPostgresStore({ url: 'not a url' })).rejects.toMatchObject({ code: 'SETTINGS_INVALID' })
})

it('explains that the server is not running', async () => {
  const opening = openPostgresStore({ url: 'postgres://user:secret-pass@127.0.0.1:1/none' })
  const error = await opening.catch((rejected: CrunchError) => rejected)
  const message = expect.stringMatching(/user:\*\*\*@127\.0\.0\.1:1\/none.*ECONNREFUSED.*DATABASE_URL/)
  expect(error).toMatchObject({ code: 'STORE_UNAVAILABLE', message })
})
