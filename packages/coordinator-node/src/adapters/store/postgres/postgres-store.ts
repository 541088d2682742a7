import { randomUUID } from 'node:crypto'
import { CrunchError } from '../../../domain/errors.ts'
import type { Store } from '../../../ports/store.ts'
import { connect } from './connect.ts'
import { createConnectionGate } from './connection-gate.ts'
import { createFeedStore } from './feed-store.ts'
import { migrateDatabase } from './migrate.ts'
import { createPeriodStore } from './period-store.ts'
import { createPredictionStore } from './prediction-store.ts'
import { createRecordSubscriptions } from './record-subscription.ts'
import { createRegistryStore } from './registry-store.ts'
import { createReportStore } from './report-store.ts'
import { settleRounds } from './settle-rounds.ts'
import { unavailable } from './store-error.ts'
import { createLeaseTaker } from './take-lease.ts'

export interface PostgresStoreOptions {
  /** `postgres://user:password@host:port/database` */
  readonly url: string
  /** Announces inserted records to other processes; without, only this store's own listeners hear of them. */
  readonly announceRecords?: boolean
  /** Besides one for subscriptions and one for each lease. 5 unless set. */
  readonly maxConnections?: number
  /**
   * Called once when a subscription's connection broke, so that records may have been missed. The store then rejects every
   * call: open a new one, and recover from the tables as at a start.
   */
  readonly onConnectionLost?: (error: CrunchError) => void
}

/** Opens the store on a database, migrating it first. Rejects with the errors of {@link migrateDatabase}. */
export async function openPostgresStore(options: PostgresStoreOptions): Promise<Store> {
  const { url, announceRecords = false, maxConnections = 5 } = options
  if (!URL.canParse(url)) {
    throw new CrunchError(
      'SETTINGS_INVALID',
      'the database URL cannot be read: write postgres://user:password@host:port/name',
    )
  }
  await migrateDatabase(url)
  const sql = connect(url, { maxConnections })
  const gate = createConnectionGate(url)
  const leases = createLeaseTaker(url)
  const ownMark = randomUUID()
  const subscriptions = createRecordSubscriptions({
    url,
    sql,
    ownMark,
    onLost(cause) {
      const error = unavailable(url, 'announces no records any more: open the store again', cause)
      if (gate.end(error)) options.onConnectionLost?.(error)
    },
  })
  const feed = createFeedStore(sql, { announceAs: announceRecords ? ownMark : null })
  const verbs: Omit<Store, 'close'> = {
    ...feed,
    ...createRegistryStore(sql),
    ...createPredictionStore(sql),
    ...createPeriodStore(sql),
    ...createReportStore(sql),
    settleRounds: (request, decide) => settleRounds(sql, request, decide),
    async appendRecords(records) {
      const appended = await feed.appendRecords(records)
      subscriptions.heardHere(appended.inserted)
      return appended
    },
    subscribeRecords: subscriptions.subscribe,
    takeLease: leases.take,
  }
  return {
    ...gated(verbs, gate.run),
    async close() {
      gate.end(unavailable(url, 'is closed for this store: open a new one'))
      await Promise.all([subscriptions.close(), leases.close(), sql.end({ timeout: 5 })])
    },
  }
}

type Verb = (...args: readonly never[]) => Promise<unknown>

function gated<Verbs extends object>(
  verbs: Verbs,
  run: <Result>(work: () => Promise<Result>) => Promise<Result>,
): Verbs {
  const entries = Object.entries(verbs as Readonly<Record<string, Verb>>)
  return Object.fromEntries(
    entries.map(([name, verb]) => [name, (...args: readonly never[]) => run(() => verb(...args))]),
  ) as Verbs
}
