import postgres from 'postgres'
import { CrunchError } from '../../../../domain/errors.ts'
import type { ReportReads } from '../../../../ports/reads/report-reads.ts'
import { type LeaseState, predictLease } from '../../../../ports/store-workers.ts'
import { lostLease } from '../../lost-lease.ts'
import type { Fragment, Query, Sql } from './connect.ts'

/** A row of the lease table; `generation` counts its holders. */
export interface LeaseRow extends LeaseState {
  readonly generation: number
}

export function createLeaseStore(sql: Sql): Pick<ReportReads, 'leaseState'> {
  return {
    async leaseState(name) {
      const row = await readLease(sql, name)
      if (row === null) return null
      const { generation: _, ...state } = row
      return state
    },
  }
}

export async function readLease(sql: Query, name: string): Promise<LeaseRow | null> {
  const [row] = await sql<LeaseRow[]>`select ${columns(sql)} from leases where name = ${name}`
  return row ?? null
}

const columns = (sql: Query): Fragment => sql`
  generation, holder, taken_at as "takenAt", heartbeat_at as "heartbeatAt",
  (extract(epoch from clock_timestamp() - heartbeat_at) * 1000)::int8 as "silentMs"`

/**
 * For the session that holds the lock: gives the lease to a new holder, and returns its new number and the previous row.
 * `for update` waits for writes of the last holder, which are either completed before this or refused.
 */
export async function takeRow(
  sql: Query,
  name: string,
  holder: string,
): Promise<{ readonly generation: number; readonly before: LeaseState | null }> {
  const rows = await sql<(LeaseRow & { readonly next: number })[]>`
    with before as materialized (select ${columns(sql)} from leases where name = ${name} for update),
    taken as (
      insert into leases (name, holder, generation, taken_at, heartbeat_at)
      select ${name}, ${holder}, coalesce((select generation from before), 0) + 1, clock_timestamp(), clock_timestamp()
      on conflict (name) do update set holder = excluded.holder, generation = excluded.generation,
        taken_at = excluded.taken_at, heartbeat_at = excluded.heartbeat_at
      returning generation as next
    )
    select next, before.* from taken left join before on true`
  const [row] = rows
  if (row === undefined) throw new Error(`the lease "${name}" was not written`)
  const { next, generation: _, ...state } = row
  // A released or new lease has no previous holder to report.
  return { generation: next, before: state.holder === null ? null : state }
}

/** `false`: another process holds the lease. */
export async function beat(sql: Query, name: string, generation: number): Promise<boolean> {
  const rows = await sql`
    update leases set heartbeat_at = clock_timestamp() where name = ${name} and generation = ${generation} returning 1`
  return rows.length === 1
}

export async function releaseRow(sql: Query, name: string, generation: number): Promise<void> {
  await sql`
    update leases set holder = null, heartbeat_at = clock_timestamp()
    where name = ${name} and generation = ${generation}`
}

/**
 * Terminates the session of a holder that has been silent since `seen`, and refuses later writes on its other connections.
 * Does nothing if it was not silent after all. Rejects with `LEASE_HELD` if the session belongs to another user.
 */
export async function evict(sql: Query, name: string, lock: string, seen: LeaseRow): Promise<void> {
  const [holding] = await sql<{ pid: number }[]>`
    select pid from pg_locks
    where locktype = 'advisory' and granted and objsubid = 1
      and database = (select oid from pg_database where datname = current_database())
      and (classid::int8 << 32 | objid::int8) = ${lock}::text::int8`
  if (holding === undefined) return
  try {
    await sql`
      with silent as materialized (
        select from leases
        where name = ${name} and generation = ${seen.generation} and heartbeat_at = ${seen.heartbeatAt} for update
      ), fenced as (
        update leases set generation = generation + 1 where name = ${name} and exists (select from silent) returning 1
      )
      select pg_terminate_backend(${holding.pid}) from fenced`
  } catch (error) {
    if (!(error instanceof postgres.PostgresError && error.code === '42501')) throw error
    const holder = `${seen.holder ?? 'a process'}, silent for ${Math.round(seen.silentMs / 1_000)} s`
    const fix = `its session belongs to another user; as that user or a superuser run: select pg_terminate_backend(${holding.pid})`
    throw new CrunchError('LEASE_HELD', `the lease "${name}" is held by ${holder}. ${fix}`, { cause: error })
  }
}

/** The number under which this store's process took the lease on predicting; `null`: never. */
export type Generation = () => number | null

/** A table `fence` with one row unless another process has taken over this store's lease. */
export function fence(sql: Query, generation: number | null): Fragment {
  if (generation === null) return sql`fence as (select true)`
  return sql`fence as materialized (
    select true from leases where name = ${predictLease} and generation = ${generation} for key share
  )`
}

/** The result of a statement with a {@link fence}; rejects if another process held the lease. */
export function requireHolder(row: { readonly isHolder: boolean } | undefined): void {
  if (row?.isHolder !== true) throw lostLease()
}
