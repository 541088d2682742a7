import postgres from 'postgres'
import { expect, it } from 'vitest'
import type { Store } from '../../../ports/store.ts'
import { answeredRound, minute, prediction, prepare, round } from '../../../ports/store-samples.ts'
import { type Lease, predictLease } from '../../../ports/store-workers.ts'
import { leaseTimes } from './session/hold-lease.ts'
import { kill, openStoreInChild, outcomeOf, writesInChild } from './store-in-child.testkit.ts'
import { useTestStores } from './test-stores.testkit.ts'

/** The limits of a node divided by ten. */
const quick = { heartbeatMs: 200, holdMs: 1_000, takeoverMs: 2_000 }

const { databaseUrl, open, openProxy, operator, onEnd } = useTestStores({ leaseTimes: quick, maxConnections: 2 })

async function take(store: Store): Promise<Lease> {
  const lease = await store.takeLease(predictLease)
  if (lease === null) throw new Error('the lease is held')
  return lease
}

/** Requests the lease like a standby until it is granted; returns the duration. */
async function takeOver(store: Store, limitMs: number): Promise<{ lease: Lease; elapsedMs: number; at: number }> {
  const startedAt = performance.now()
  while (performance.now() - startedAt < limitMs) {
    const lease = await store.takeLease(predictLease)
    const at = performance.now()
    if (lease !== null) return { lease, elapsedMs: at - startedAt, at }
    await new Promise((resolve) => setTimeout(resolve, 50))
  }
  throw new Error(`the lease was not given within ${limitMs} ms`)
}

async function lockHolders(): Promise<number> {
  const sql = postgres(databaseUrl(), { max: 1, onnotice: () => undefined })
  try {
    const held = await sql`select 1 from pg_locks l join pg_database d on d.oid = l.database
      where l.locktype = 'advisory' and d.datname = current_database()`
    return held.length
  } finally {
    await sql.end({ timeout: 1 })
  }
}

it('lets a holder stop before a standby takes over, which happens within 30 s', () => {
  const { heartbeatMs, holdMs, takeoverMs } = leaseTimes
  // A holder checks its clock once per heartbeat.
  expect(holdMs + heartbeatMs).toBeLessThan(takeoverMs - 5_000)
  expect(holdMs).toBeGreaterThan(3 * heartbeatMs)
  expect(takeoverMs).toBeLessThan(30_000)
})

it('takes over from a session whose client vanished without the server noticing', async () => {
  const proxy = await openProxy()
  const ghost = await open({ url: proxy.url })
  const lease = await take(ghost)
  const held = await ghost.leaseState(predictLease)
  const standby = await open()
  proxy.cut('client')
  expect(await lease.lost).toMatch(/its connection to the database was lost/)
  expect(await standby.takeLease(predictLease)).toBeNull()
  expect(await lockHolders()).toBe(1)
  const next = await takeOver(standby, 8_000)
  expect(next.elapsedMs).toBeGreaterThan(quick.holdMs)
  expect(next.elapsedMs).toBeLessThan(quick.takeoverMs + 2_000)
  expect(next.lease.takenFrom).toMatchObject({ holder: held?.holder, takenAt: held?.takenAt })
  expect(next.lease.takenFrom?.silentMs).toBeGreaterThan(quick.holdMs)
  expect(await lockHolders()).toBe(1)
})

it('stops a holder with a broken network to the database before a standby takes over', async () => {
  const proxy = await openProxy()
  const holder = await open({ url: proxy.url })
  const lease = await take(holder)
  const standby = await open()
  proxy.hold()
  const stopped = lease.lost.then((reason) => ({ reason, at: performance.now() }))
  const next = await takeOver(standby, 8_000)
  const { reason, at } = await stopped
  expect(reason).toBe('no heartbeat could be written for 1 s')
  expect(at).toBeLessThan(next.at)
  expect(next.elapsedMs).toBeLessThan(quick.takeoverMs + 2_000)
})

it('leaves the lease to a live holder', async () => {
  const holder = await open()
  const lease = await take(holder)
  let loss: string | undefined
  void lease.lost.then((reason) => {
    loss = reason
  })
  const standby = await open()
  await expect(takeOver(standby, 2 * quick.takeoverMs)).rejects.toThrow('was not given')
  expect(loss).toBeUndefined()
  expect((await standby.leaseState(predictLease))?.silentMs).toBeLessThan(quick.holdMs)
})

it('refuses the rounds of a holder that slept while another took over', async () => {
  // Writes no heartbeat without noticing, like a stopped process.
  const asleep = { heartbeatMs: 600_000, holdMs: 1_200_000, takeoverMs: 1_200_000 }
  const holder = await open({ leaseTimes: asleep })
  await prepare(holder)
  await take(holder)
  await holder.openRound(round(0))
  const { lease } = await takeOver(await open(), 8_000)
  expect(lease.takenFrom).not.toBeNull()
  const refusal = { code: 'LEASE_HELD', message: expect.stringContaining('another process has taken over') }
  await expect(holder.openRound(round(1))).rejects.toMatchObject(refusal)
  const answers = [prediction(round(0), 'a')]
  await expect(holder.recordAnswers(round(0).id, minute(0), answers)).rejects.toMatchObject(refusal)
  const standby = await open()
  expect(await standby.unansweredRounds()).toEqual([round(0)])
  expect(await standby.roundCounts()).toMatchObject({ openedCount: 1 })
})

it('takes over from a stopped process, and at once from a killed one', async () => {
  const child = openStoreInChild(databaseUrl(), predictLease)
  onEnd(() => kill(child))
  expect(await outcomeOf(child)).toEqual({ hasLease: true })
  const standby = await open({ leaseTimes: { ...quick, takeoverMs: 5_000 } })
  child.kill('SIGSTOP')
  const first = await takeOver(standby, 15_000)
  expect(first.lease.takenFrom?.holder).toContain(`process ${child.pid}`)
  child.kill('SIGCONT')
  await kill(child)
  await first.lease.release()

  const other = openStoreInChild(databaseUrl(), predictLease)
  onEnd(() => kill(other))
  expect(await outcomeOf(other)).toEqual({ hasLease: true })
  expect(await standby.takeLease(predictLease)).toBeNull()
  await kill(other)
  const second = await takeOver(standby, 5_000)
  expect(second.elapsedMs).toBeLessThan(1_000)
})

it('refuses the writes of a stopped process that continues after another one has taken over', async () => {
  const child = openStoreInChild(databaseUrl(), predictLease)
  onEnd(() => kill(child))
  expect(await outcomeOf(child)).toEqual({ hasLease: true })
  expect(await writesInChild(child, 'early')).toEqual(Array(5).fill('written'))
  const standby = await open()
  child.kill('SIGSTOP')
  const { lease } = await takeOver(standby, 15_000)
  await prepare(standby)
  const before = await Promise.all([standby.models(), standby.schedules()])
  const outcomes = writesInChild(child, 'late')
  child.kill('SIGCONT')
  expect(await outcomes).toEqual(Array(5).fill('LEASE_HELD'))
  expect(await Promise.all([standby.models(), standby.schedules()])).toEqual(before)
  await lease.release()
})

it('is granted only when the writes of the last holder are completed', async () => {
  const holder = await open()
  await prepare(holder)
  const lease = await take(holder)
  await answeredRound(holder, round(0))
  const sql = operator()
  // The same lock as during the write of a round.
  await sql.unsafe(`begin; select from leases where name = '${predictLease}' for key share`)
  await lease.release()
  const standby = await open()
  let isGiven = false
  const asked = standby.takeLease(predictLease).then((next) => {
    isGiven = next !== null
  })
  await expect.poll(lockWaiters, { timeout: 10_000 }).toBe(1)
  expect(isGiven).toBe(false)
  await sql.unsafe('commit')
  await asked
  expect(isGiven).toBe(true)
})

/** Uses its own connection, because within a transaction the server shows its first snapshot. */
async function lockWaiters(): Promise<number> {
  const sql = postgres(databaseUrl(), { max: 1, onnotice: () => undefined })
  try {
    const waiting = await sql`
      select 1 from pg_stat_activity where wait_event_type = 'Lock' and datname = current_database()`
    return waiting.length
  } finally {
    await sql.end({ timeout: 1 })
  }
}

it('names the session that a standby is not permitted to terminate, and the fix', async () => {
  const proxy = await openProxy()
  const ghost = await open({ url: proxy.url })
  await take(ghost)
  const name = `other_${new URL(databaseUrl()).pathname.slice(1)}`
  const sql = operator()
  onEnd(() => sql.unsafe(`drop owned by ${name}; drop role ${name}`))
  await sql.unsafe(`create role ${name} login password 'other';
    grant usage on schema public, drizzle to ${name};
    grant all on all tables in schema public, drizzle to ${name}`)
  const url = Object.assign(new URL(databaseUrl()), { username: name, password: 'other' }).href
  const standby = await open({ url })
  proxy.cut('client')
  const refused = await takeOver(standby, 8_000).catch((error: Error) => error)
  expect(refused).toMatchObject({
    code: 'LEASE_HELD',
    message: expect.stringMatching(/silent for .* s.*select pg_terminate_backend\(\d+\)/),
  })
})
