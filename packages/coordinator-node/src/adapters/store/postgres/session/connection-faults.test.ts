import { once } from 'node:events'
import { type AddressInfo, createServer, type Socket } from 'node:net'
import { DrizzleQueryError } from 'drizzle-orm'
import type postgres from 'postgres'
import { describe, expect, it } from 'vitest'
import type { CrunchError } from '../../../../domain/errors.ts'
import type { Store } from '../../../../ports/store.ts'
import { answeredRound, minute, prepare, resolveAll, round, settleRequest } from '../../../../ports/store-samples.ts'
import { predictLease } from '../../../../ports/store-workers.ts'
import { openPostgresStore } from '../postgres-store.ts'
import { useTestStores } from '../test-stores.testkit.ts'
import { openPlainClient } from './plain-connection.ts'
import { storeError } from './store-error.ts'
import { watchSession } from './watch-session.ts'

/** The limits of a node divided by sixty. */
const quick = { statementMs: 1_000, callMs: 1_500, pingEveryMs: 200, pingMs: 500 }

const { databaseUrl, open, openProxy, operator, onEnd } = useTestStores({ maxConnections: 2, limits: quick })

const endOthers = (sql: postgres.Sql) => sql`
  select pg_terminate_backend(pid) from pg_stat_activity
  where datname = current_database() and pid <> pg_backend_pid()`

const unavailable = (reason: RegExp | null = /./) =>
  expect.objectContaining({
    code: 'STORE_UNAVAILABLE',
    ...(reason === null ? {} : { publicReason: expect.stringMatching(reason) }),
  })

const rejection = (work: Promise<unknown>): Promise<CrunchError | string> =>
  work.then(
    () => 'nothing was wrong',
    (error: CrunchError) => error,
  )

/** The URL of a server that handles every client in this way. */
async function strangeServer(serve: (socket: Socket) => void): Promise<string> {
  const server = createServer((socket) => {
    socket.on('error', () => undefined)
    serve(socket)
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  onEnd(() => server.close())
  return `postgres://user:pass@127.0.0.1:${(server.address() as AddressInfo).port}/none`
}

const fatal = (code: string) => {
  const fields = Buffer.from(`SFATAL\0C${code}\0Msomething is wrong\0\0`)
  const head = Buffer.from([69, 0, 0, 0, 0])
  head.writeUInt32BE(fields.length + 4, 1)
  return Buffer.concat([head, fields])
}

describe('a failing connection attempt', () => {
  const withAddress = (change: (url: URL) => void) => async () => {
    const url = new URL(databaseUrl())
    change(url)
    return url.href
  }
  it.each<[string, () => Promise<string>]>([
    ['no server', async () => 'postgres://user:pass@127.0.0.1:1/none'],
    ['no such host', async () => 'postgres://user:pass@no-such-host.invalid/none'],
    ['no socket file', async () => 'postgres://user:pass@localhost/none?host=/nowhere'],
    ['a server without TLS', withAddress((url) => url.searchParams.set('sslmode', 'require'))],
    ['a wrong password', withAddress((url) => Object.assign(url, { password: 'wrong' }))],
    ['no such database', withAddress((url) => Object.assign(url, { pathname: '/no_such_database' }))],
    ['a server that hangs up', () => strangeServer((socket) => socket.end())],
    ['a server that resets', () => strangeServer((socket) => socket.resetAndDestroy())],
    [
      'a server that hangs up within the login',
      () => strangeServer((socket) => socket.once('data', () => socket.end('R\0'))),
    ],
    [
      'a web server',
      () => strangeServer((socket) => socket.once('data', () => socket.end('HTTP/1.1 400 Bad Request\r\n\r\n'))),
    ],
    ['a broken configuration', () => strangeServer((socket) => socket.once('data', () => socket.end(fatal('F0000'))))],
    ['an internal error', () => strangeServer((socket) => socket.once('data', () => socket.end(fatal('XX000'))))],
  ])('is STORE_UNAVAILABLE with its reason: %s', async (_, address) => {
    expect(await rejection(openPostgresStore({ url: await address() }))).toEqual(unavailable())
  })
})

describe('the advice', () => {
  it.each([
    ['a deadlock', '40P01', /the next try may succeed/],
    ['damaged data', 'XX001', /restore a backup/],
    ['an I/O error', '58030', /See the log of the PostgreSQL server/],
    ['a full disk', '53100', /Free disk space/],
    ['too many clients', '53300', /raise max_connections/],
    ['a wrong password', '28P01', /user and password in DATABASE_URL/],
  ])('fits the error of the server: %s', async (_, code, advice) => {
    const url = await strangeServer((socket) => socket.once('data', () => socket.end(fatal(code))))
    const error = await rejection(openPostgresStore({ url }))
    expect(error).toMatchObject({ code: 'STORE_UNAVAILABLE', message: expect.stringMatching(advice) })
    expect((error as CrunchError).message.includes('the address')).toBe(false)
  })

  it('names an unreadable stored value instead of suggesting to check the address', async () => {
    const store = await open()
    await prepare(store)
    await operator()`update models set registered_at = 'infinity' where id = 'a'`
    expect(await rejection(store.models())).toMatchObject({
      code: 'STORE_CORRUPT',
      message: expect.stringMatching(/holds a value .* "infinity" .*Correct it, or restore a backup$/),
      publicReason: 'it holds a value that cannot be read',
    })
    expect(await store.roundCounts()).toMatchObject({ openedCount: 0 })
  })
})

describe('a connection that breaks', () => {
  const look = (store: Store, between: () => unknown) =>
    rejection(
      store.probe(1_500, async (reads) => {
        await reads.leaseState(predictLease)
        await between()
        return [await reads.feedStates(), await reads.models(), await reads.roundCounts()]
      }),
    )

  it('is STORE_UNAVAILABLE while idle, during a check and during a statement', async () => {
    const proxy = await openProxy()
    const store = await open({ url: proxy.url })
    const sql = operator()
    expect(await look(store, () => endOthers(sql))).toEqual(unavailable())
    expect(await look(store, () => proxy.cut('client'))).toEqual(unavailable())
    await store.roundCounts()
    await endOthers(sql)
    const idle = await rejection(store.roundCounts())
    if (idle !== 'nothing was wrong') expect(idle).toEqual(unavailable())
    const locking = operator()
    await locking.unsafe('begin; lock table inputs in access exclusive mode')
    const waiting = rejection(store.roundCounts())
    await expect.poll(async () => (await sql`select from pg_locks where not granted`).length).toBeGreaterThan(0)
    await sql`select pg_terminate_backend(pid) from pg_locks where not granted`
    expect(await waiting).toEqual(unavailable())
    await locking.unsafe('rollback')
    expect(await look(store, () => undefined)).toBe('nothing was wrong')
  })

  it('is STORE_UNAVAILABLE when its answers are garbled', async () => {
    const proxy = await openProxy()
    const store = await open({ url: proxy.url })
    const lease = await store.takeLease(predictLease)
    await prepare(store)
    expect(await look(store, () => proxy.garbleRows())).toEqual(unavailable())
    expect(await look(store, () => undefined)).toBe('nothing was wrong')
    await lease?.release()
  })

  it('is not reported for a value that cannot be stored', async () => {
    const store = await open()
    await expect(
      store.latestRecords({ source: 'a', subject: 'b', kind: 'c', granularity: '1m' }, 1, Number.NaN),
    ).rejects.toThrow(RangeError)
  })

  it('is distinguished from an invalid statement in the client for migrations, too', async () => {
    const wrapped = async (url: string) => {
      const { sql, end } = openPlainClient(url)
      const cause = await rejection(sql`select * from no_such_table`.then())
      await end()
      return storeError(new DrizzleQueryError('select', [], cause as unknown as Error), url)
    }
    expect(await wrapped('postgres://user:pass@127.0.0.1:1/none')).toEqual(unavailable(/ECONNREFUSED/))
    expect(await wrapped(databaseUrl())).toMatchObject({ code: '42P01' })
  })
})

describe('a half-open connection, broken only on the server side', () => {
  it('is given up when a call times out; the next call uses another one', async () => {
    const proxy = await openProxy()
    const store = await open({ url: proxy.url })
    await Promise.all([store.roundCounts(), store.feedStates(), store.models()])
    proxy.strand()
    const startedAt = performance.now()
    const calls = await Promise.all([store.roundCounts(), store.feedStates(), store.models()].map(rejection))
    expect(calls).toEqual([unavailable(), unavailable(), unavailable()])
    expect(performance.now() - startedAt).toBeLessThan(quick.callMs + 2_000)
    expect(await store.roundCounts()).toMatchObject({ openedCount: 0 })
    // Otherwise unread sockets would accumulate.
    proxy.release()
    await expect.poll(() => proxy.clientCount(), { timeout: 5_000 }).toBeLessThanOrEqual(2)
  })

  it('is given up during a transaction', async () => {
    const proxy = await openProxy()
    const store = await open({ url: proxy.url })
    await prepare(store)
    for (const count of [0, 1]) await answeredRound(store, round(count))
    const settle = () => store.settleRounds(settleRequest({ now: minute(90), limit: 1 }), (due) => resolveAll(due))
    await settle()
    proxy.strand()
    expect(await rejection(settle())).toEqual(unavailable(null))
    expect((await settle()).resolvedCount).toBe(1)
  })

  it('is detected where only the database sends, and reported to the subscriber', async () => {
    const proxy = await openProxy()
    const losses: CrunchError[] = []
    const store = await open({ url: proxy.url, onConnectionLost: (error) => losses.push(error) })
    await store.subscribeRecords(() => undefined)
    proxy.strand()
    await expect.poll(() => losses, { timeout: 10_000 }).toEqual([unavailable(null)])
  })

  it('is given up during a migration, which otherwise has no time limit', async () => {
    const proxy = await openProxy()
    const client = openPlainClient(proxy.url)
    onEnd(() => client.cut())
    const [row] = await client.sql<{ pid: number }[]>`select pg_backend_pid() as pid`
    let isGivenUp = false
    const giveUp = () => {
      isGivenUp = true
      client.cut()
    }
    const stop = watchSession({ url: proxy.url, pid: row?.pid ?? 0, everyMs: 200, giveUp })
    onEnd(stop)
    await client.sql`select pg_sleep(1.5)`
    expect(isGivenUp).toBe(false)
    const lost = rejection(client.sql`select pg_sleep(0.2)`.then())
    proxy.strand()
    expect(await lost).toMatchObject({ code: expect.stringMatching(/^CONNECTION_/) })
    expect(isGivenUp).toBe(true)
  })
})
