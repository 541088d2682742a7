import { randomUUID } from 'node:crypto'
import type { CrunchError } from '../../../domain/errors.ts'
import type { ReportReads } from '../../../ports/reads/report-reads.ts'
import type { Store } from '../../../ports/store.ts'
import { predictLease } from '../../../ports/store-workers.ts'
import { announceChanges } from '../announce-changes.ts'
import { createKeyStore } from './access/key-store.ts'
import { createActivityStore } from './activity-store.ts'
import { createChanges } from './announcements/changes.ts'
import { createRecordSubscriptions } from './announcements/record-subscription.ts'
import { createBackfillStore } from './backfill-store.ts'
import { beginEra, createEraStore, enterEra } from './era-store.ts'
import { createFeedStore } from './feed-store.ts'
import { createModelStore } from './model-store.ts'
import { createPageStore } from './page/page-store.ts'
import { createPeriodStore } from './period-store.ts'
import { createPredictionStore } from './prediction-store.ts'
import { createProgressStore } from './progress-store.ts'
import { createReportStore } from './report-store.ts'
import { createScheduleStore } from './schedule-store.ts'
import { migrateDatabase } from './schema/migrate.ts'
import { createSeriesStore } from './series-store.ts'
import type { Sql } from './session/connect.ts'
import { type ConnectionGate, createConnectionGate } from './session/connection-gate.ts'
import { type ConnectionLimits, connectionLimits } from './session/connection-limits.ts'
import { type LeaseTimes, leaseTimes } from './session/hold-lease.ts'
import { createLeaseStore } from './session/lease-row.ts'
import { createPool, type Pool } from './session/pool.ts'
import { createProbe } from './session/probe.ts'
import { unavailable } from './session/store-error.ts'
import { settleRounds } from './settle-rounds.ts'
import { createLeaseTaker } from './take-lease.ts'
import { createTransactions } from './transactions.ts'

export interface PostgresStoreOptions {
  /** `postgres://user:password@host:port/database` */
  readonly url: string
  /** Whether inserted records are announced to other processes; otherwise only this store's own listeners receive them. */
  readonly announceRecords?: boolean
  /** Whether rounds are in wall time, so that the database clock also decides whether an answer is in time. */
  readonly isLive?: boolean
  /** Number of connections, in addition to one for subscriptions and one per lease. Default: 5. */
  readonly maxConnections?: number
  /** Shorter limits for tests. */
  readonly leaseTimes?: LeaseTimes
  readonly limits?: ConnectionLimits
  /**
   * Called once when a subscription's connection broke, so that records may have been missed. The store then rejects all
   * calls: open a new one, and recover from the tables as at a start.
   */
  readonly onConnectionLost?: (error: CrunchError) => void
}

/** Opens the store on a database, migrating it first. Rejects with the errors of {@link migrateDatabase}. */
export async function openPostgresStore(options: PostgresStoreOptions): Promise<Store> {
  const { url, announceRecords = false, isLive = false, maxConnections = 5, limits = connectionLimits } = options
  const database = await migrateDatabase(url)
  const ownMark = randomUUID()
  const gate = createConnectionGate(url)
  const leases = createLeaseTaker(database, options.leaseTimes ?? leaseTimes, limits.callMs)
  const transactions = createTransactions(database, { maxConnections, limits })
  const generation = () => leases.generation(predictLease)
  const verbsOf = (sql: Sql) => ({
    sql,
    feed: createFeedStore(sql, { announceAs: announceRecords ? ownMark : null }),
    rest: {
      ...createScheduleStore(sql, generation),
      ...createModelStore(sql, generation),
      ...createPredictionStore(sql, { isLive, generation }),
      ...createLeaseStore(sql),
      ...reportVerbs(sql),
      ...createBackfillStore(sql),
      ...createProgressStore(sql, generation),
      ...createEraStore(sql),
      ...createKeyStore(sql),
    },
  })
  const pool = createPool(database, { maxConnections, limits }, verbsOf)
  const probe = createProbe(database, (sql): ReportReads => {
    const { feed, rest } = verbsOf(sql)
    return { ...feed, ...rest }
  })
  const subscriptions = createRecordSubscriptions({
    database,
    client: () => pool.current().sql,
    ownMark,
    limits,
    onLost(cause) {
      const error = unavailable(url, 'no longer announces records: open the store again', cause)
      if (gate.end(error)) options.onConnectionLost?.(error)
    },
  })
  const changes = createChanges({ database, limits, run: (statement) => gate.run(() => pool.run(statement)) })
  async function close(): Promise<void> {
    await changes.close()
    gate.end(unavailable(url, 'is closed for this store: open a new one'))
    await Promise.all([subscriptions.close(), leases.close(), transactions.close(), pool.close(), probe.close()])
  }
  const store: Omit<Store, 'subscribeChanges'> = {
    ...gated(pool, ({ feed }) => feed, gate.run),
    ...gated(pool, ({ rest }) => rest, gate.run),
    appendRecords: (records) =>
      gate.run(async () => {
        const appended = await pool.run(({ feed }) => feed.appendRecords(records))
        subscriptions.heardHere(appended.inserted)
        return appended
      }),
    settleRounds: (request, decide) => gate.run(() => transactions.run((sql) => settleRounds(sql, request, decide))),
    enterEra: (entry) => gate.run(() => transactions.run((sql) => enterEra(sql, entry))),
    beginEra: (next) => gate.run(() => transactions.run((sql) => beginEra(sql, next))),
    subscribeRecords: (listener) => gate.run(() => subscriptions.subscribe(listener)),
    takeLease: (name) => gate.run(() => leases.take(name)),
    probe: probe.run,
    close,
  }
  return {
    ...store,
    ...announceChanges(store, changes.announce),
    subscribeChanges: (listener) => gate.run(() => changes.subscribe(listener)),
  }
}

/** What depends neither on a lease nor on the clock. */
const reportVerbs = (sql: Sql) => ({
  ...createPeriodStore(sql),
  ...createReportStore(sql),
  ...createSeriesStore(sql),
  ...createPageStore(sql),
  ...createActivityStore(sql),
})

type Verb = (...args: readonly never[]) => Promise<unknown>

/** The verbs of the current client at the time of each call, behind the gate. */
function gated<Made, Verbs extends object>(
  pool: Pool<Made>,
  verbsOf: (made: Made) => Verbs,
  run: ConnectionGate['run'],
): Verbs {
  const call = (name: string, args: readonly never[]) =>
    run(() => pool.run((made) => ((verbsOf(made) as Readonly<Record<string, Verb>>)[name] as Verb)(...args)))
  const names = Object.keys(verbsOf(pool.current()))
  return Object.fromEntries(names.map((name) => [name, (...args: readonly never[]) => call(name, args)])) as Verbs
}
