import { readdirSync, readFileSync } from 'node:fs'
import { type EmbeddedPostgres, startEmbeddedPostgres } from '@crunch/embedded-postgres'
import { createWorkbench } from '@crunch/embedded-postgres/testkit'
import postgres from 'postgres'
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest'
import { startDatabaseProxy } from '../../../test/database-proxy.ts'
import { freePort } from '../../../test/free-port.ts'
import { loadContract } from '../load-contract.ts'
import { readSettings } from '../settings.ts'
import { startWorkers } from './start-workers.testkit.ts'

const workbench = createWorkbench()
let directory: string
let server: EmbeddedPostgres
const endings: (() => unknown)[] = []

beforeAll(async () => {
  directory = await workbench.newDirectory()
  server = await startEmbeddedPostgres({ directory, fsync: false, maxConnections: 20 })
})

afterEach(async () => {
  for (const end of endings.splice(0).reverse()) await end()
})

afterAll(() => workbench.cleanUp())

type Served = (() => Promise<Answer>) & { readonly url: string; readonly pageUrl: string }

interface Answer {
  readonly status: number
  readonly reasons: readonly string[]
  readonly elapsedMs: number
}

/** Serves the API on a database; returns the answer of `/healthz` and its duration. */
async function serve(databaseUrl: string): Promise<Served> {
  const [port, pagePort] = [await freePort(), await freePort()]
  const settings = readSettings({ REPORT_API_PORT: `${port}`, REPORT_UI_PORT: `${pagePort}` })
  const contract = await loadContract(
    new URL('../../../test/sample-contract-file.ts', import.meta.url).pathname,
    settings,
  )
  await startWorkers({ workers: ['report'], contract, settings, databaseUrl, onEnd: (end) => endings.push(end) })
  const url = `http://127.0.0.1:${port}`
  const health = async () => {
    const startedAt = performance.now()
    const response = await fetch(`${url}/healthz`, { signal: AbortSignal.timeout(10_000) })
    const { reasons } = (await response.json()) as { reasons: readonly string[] }
    return { status: response.status, reasons, elapsedMs: performance.now() - startedAt }
  }
  return Object.assign(health, { url, pageUrl: `http://127.0.0.1:${pagePort}` })
}

/** Expects timely answers that the database is unavailable, also to many concurrent and repeated requests. */
async function expectUnreachable(health: () => Promise<Answer>, reason: RegExp): Promise<void> {
  for (let round = 0; round < 2; round += 1) {
    for (const { status, reasons, elapsedMs } of await Promise.all(Array.from({ length: 20 }, health))) {
      expect(elapsedMs).toBeLessThan(2_000)
      expect(status).toBe(503)
      expect(reasons).toEqual([expect.stringMatching(reason)])
    }
  }
}

/** The processes of the server: the postmaster and those that serve its clients. */
function serverPids(): readonly number[] {
  const own = Number(readFileSync(`${directory}/data/postmaster.pid`, 'utf8').split('\n')[0])
  const children = readdirSync('/proc').filter((name) => {
    if (!/^\d+$/.test(name)) return false
    try {
      return readFileSync(`/proc/${name}/stat`, 'utf8').split(') ')[1]?.split(' ')[1] === `${own}`
    } catch {
      // The process has ended in the meantime.
      return false
    }
  })
  return [own, ...children.map(Number)]
}

function connect(): postgres.Sql {
  const sql = postgres(server.url, { max: 1, onnotice: () => undefined })
  endings.push(() => sql.end({ timeout: 1 }))
  return sql
}

test('serves the page and the API on both ports', async () => {
  const { url, pageUrl } = await serve(server.url)
  for (const place of [url, pageUrl]) {
    expect((await fetch(`${place}/reports/leaderboard`)).status).toBe(200)
    const page = await fetch(`${place}/models/1`)
    expect([page.status, page.headers.get('content-type')]).toEqual([200, 'text/html; charset=utf-8'])
    const [, script] = /src="(\/assets\/[^"]+)"/.exec(await page.text()) ?? []
    expect((await fetch(`${place}${script}`)).headers.get('content-type')).toBe('text/javascript; charset=utf-8')
  }
})

test('reports in time that all database processes are stopped, and recovers when they continue', async () => {
  const health = await serve(server.url)
  expect((await health()).status).toBe(200)
  const pids = serverPids()
  try {
    for (const pid of pids) process.kill(pid, 'SIGSTOP')
    await expectUnreachable(health, /^the database is unreachable: it did not answer within 1 s$/)
  } finally {
    for (const pid of pids) process.kill(pid, 'SIGCONT')
  }
  await expect.poll(async () => (await health()).status, { timeout: 10_000 }).toBe(200)
})

test('reports in time that the database waits for a lock', async () => {
  const health = await serve(server.url)
  const sql = connect()
  await sql.unsafe('begin; lock table feed_ingestion_state in access exclusive mode')
  await expectUnreachable(health, /it did not answer within 1 s|it was too slow/)
  await sql.unsafe('rollback')
  expect((await health()).status).toBe(200)
})

test('reports in time that all connections are in use', async () => {
  const health = await serve(server.url)
  // Connections of earlier checks are released within a second.
  const refused = await fillConnections()
  expect(refused).toMatch(/too many clients/)
  await expectUnreachable(health, /it accepts no more connections/)
})

/** Opens connections until the server refuses, and returns its message. */
async function fillConnections(): Promise<string> {
  for (let count = 0; count < 40; count += 1) {
    try {
      await connect()`select 1`
    } catch (error) {
      return String(error)
    }
  }
  return 'the server took all connections'
}

test('reports in time that the network to the database is broken, and leaves no sockets open', async () => {
  const proxy = await startDatabaseProxy(server.url)
  endings.push(() => proxy.close())
  const health = await serve(proxy.url)
  expect((await health()).status).toBe(200)
  const before = proxy.clientCount()
  const connectedBefore = proxy.connectionCount()
  proxy.hold()
  await expectUnreachable(health, /it did not answer within 1 s/)
  // Twice 20 requests caused two checks; the first used the existing connection.
  expect(proxy.connectionCount() - connectedBefore).toBeLessThanOrEqual(2)
  proxy.release()
  await expect.poll(async () => (await health()).status, { timeout: 10_000 }).toBe(200)
  expect(proxy.clientCount()).toBeLessThanOrEqual(before + 1)
})

test('answers again within 30 s when its connections are broken only on the server side', async () => {
  const proxy = await startDatabaseProxy(server.url)
  endings.push(() => proxy.close())
  const { url } = await serve(proxy.url)
  const ask = async () => (await fetch(`${url}/reports/models`, { signal: AbortSignal.timeout(40_000) })).status
  expect(await ask()).toBe(200)
  proxy.strand()
  const strandedAt = performance.now()
  // Requests on the broken connection fail; TCP alone would let them wait for 15 minutes.
  expect(await ask()).toBe(503)
  expect(await ask()).toBe(200)
  expect(performance.now() - strandedAt).toBeLessThan(30_000)
})

test('reports at once that the database refuses connections', async () => {
  const health = await serve(server.url)
  expect((await health()).status).toBe(200)
  await server.stop()
  await expectUnreachable(
    health,
    /it cannot be reached \((ECONNREFUSED|CONNECTION_CLOSED)\)|it is starting or shutting/,
  )
  server = await startEmbeddedPostgres({ directory, fsync: false, maxConnections: 20 })
  await expect.poll(async () => (await health()).status, { timeout: 10_000 }).toBe(200)
})
