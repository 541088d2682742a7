import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { TestDatabase } from '@crunch/embedded-postgres/test-database'
import { wait } from '@crunch/local-processes'
import postgres from 'postgres'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { startDatabaseProxy } from '../../../test/database-proxy.ts'
import { createMigratedDatabase } from '../../../test/migrated-database.ts'
import { sampleContract } from '../../../test/sample-contract.ts'
import { openScene, type Scene, stateOf } from '../../adapters/model-runner/grpc/testing/scene.ts'
import { openPostgresStore } from '../../adapters/store/postgres/postgres-store.ts'
import type { JsonObject } from '../../domain/json/json.ts'
import type { FeedSource } from '../../ports/feed-source.ts'
import { silentLog } from '../../ports/log.ts'
import { minute } from '../../ports/store-samples.ts'
import { predictLease } from '../../ports/store-workers.ts'
import { readSettings } from '../settings.ts'
import { runWorkers } from './run-workers.ts'
import type { WorkerName } from './worker-context.ts'

/** A live source without records. */
const quiet: FeedSource = {
  describe: async () => [{ source: 'binance', subjects: 'any', kind: 'candle', granularities: 'any' }],
  // biome-ignore lint/correctness/useYield: it has no records
  async *stream(_scopes, _from, signal) {
    await wait(600_000, signal)
  },
  async *history() {},
}

let database: TestDatabase
let scene: Scene
const endings: (() => unknown)[] = []

beforeEach(async () => {
  database = await createMigratedDatabase()
  scene = await openScene()
  const server = await scene.serve({ tick: () => null, predict: () => ({ value: 0.5 }) })
  scene.orchestrator.list([stateOf('a', server.port)])
})

afterEach(async () => {
  for (const end of endings.splice(0).reverse()) await end()
  await scene.close()
  await database.drop()
})

interface Running {
  /** Resolves when predict is ready, which is when it holds the lease. */
  readonly ready: Promise<void>
  /** Settles as the workers do: rejects with the error that ended them. */
  readonly ended: Promise<void>
  readonly lines: readonly { readonly message: string; readonly fields: JsonObject }[]
}

function start(workers: readonly WorkerName[], env: Record<string, string> = {}, url = database.url): Running {
  const ending = new AbortController()
  const lines: { message: string; fields: JsonObject }[] = []
  const note = (message: string, fields: JsonObject = {}) => lines.push({ message, fields })
  let isReady = () => {}
  const ready = new Promise<void>((resolve) => {
    isReady = resolve
  })
  const ended = runWorkers({
    workers,
    contract: sampleContract,
    settings: readSettings({
      CRUNCH_ID: 'next-move',
      MODEL_RUNNER_NODE_HOST: '127.0.0.1',
      MODEL_RUNNER_NODE_PORT: `${scene.orchestrator.port}`,
      ...env,
    }),
    databaseUrl: url,
    codeHash: 'code',
    log: { ...silentLog, info: note, warn: note },
    sources: new Map([['binance', quiet]]),
    signal: ending.signal,
    onReady: (worker) => worker === 'predict' && isReady(),
  })
  // If the test ends before it awaits this promise, it has failed for another reason.
  ended.catch(() => undefined)
  endings.push(async () => {
    ending.abort()
    await ended.catch(() => undefined)
  })
  return { ready, ended, lines }
}

/** Terminates the database session that holds the lease, and no other. */
async function endHoldingSession(): Promise<void> {
  const sql = postgres(database.url, { max: 1, onnotice: () => undefined })
  try {
    const ended = await sql`
      select pg_terminate_backend(pid) from pg_locks
      where locktype = 'advisory' and database = (select oid from pg_database where datname = current_database())`
    expect(ended).toHaveLength(1)
  } finally {
    await sql.end({ timeout: 1 })
  }
}

async function slowReplay(): Promise<Record<string, string>> {
  const folder = await mkdtemp(join(tmpdir(), 'crunch-lease-'))
  endings.push(() => rm(folder, { recursive: true }))
  const path = join(folder, 'prices.csv')
  const [first, second] = [minute(0), minute(60)]
  await writeFile(path, `ts_ms,subject,close\n${first},BTCUSDT,1\n${second},BTCUSDT,2\n`)
  return { FEED_REPLAY_FILES: path, FEED_REPLAY_SPEED: '1' }
}

test.each([
  ['a predict worker', ['predict'], async () => ({})],
  ['feed-data and predict in one process', ['feed-data', 'predict'], async () => ({})],
  ['a replay', ['feed-data', 'predict'], slowReplay],
] as const)('ends %s after losing the lease', async (_, workers, env) => {
  const running = start(workers, await env())
  await Promise.race([running.ready, running.ended])
  await endHoldingSession()
  await expect(running.ended).rejects.toMatchObject({
    code: 'STORE_UNAVAILABLE',
    message: expect.stringMatching(/the lease on predicting was lost \(its connection .* was lost\): restarting/),
  })
})

test('takes over within 30 s from a holder with dead connections, and names it', async () => {
  const proxy = await startDatabaseProxy(database.url)
  endings.push(() => proxy.close())
  const first = start(['predict'], {}, proxy.url)
  await Promise.race([first.ready, first.ended])
  const store = await openPostgresStore({ url: database.url })
  endings.push(() => store.close())
  const held = await store.leaseState(predictLease)
  const second = start(['predict'])
  const standingBy = 'another predict worker is active; standing by'
  const logged = (message: string) => second.lines.find((line) => line.message === message)
  await expect.poll(() => logged(standingBy), { timeout: 10_000 }).toBeDefined()
  expect(logged(standingBy)?.fields).toMatchObject({ event: 'standing-by', holder: held?.holder })
  proxy.cut('client')
  const startedAt = performance.now()
  await expect(first.ended).rejects.toMatchObject({ code: 'STORE_UNAVAILABLE' })
  await Promise.race([second.ready, second.ended])
  const elapsedMs = performance.now() - startedAt
  expect(elapsedMs).toBeGreaterThan(10_000)
  expect(elapsedMs).toBeLessThan(30_000)
  const silent = logged('the active predict worker is silent; this one takes over after 20 s without a heartbeat')
  expect(silent?.fields).toMatchObject({ holder: held?.holder, heartbeatAgeMs: expect.any(Number) })
  const took = logged('the previous predict worker did not exit cleanly; this one opens the rounds now')
  expect(took?.fields).toMatchObject({ holder: held?.holder })
  expect(took?.fields.heartbeatAgeMs).toBeGreaterThan(10_000)
})
