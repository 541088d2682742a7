import type { TestDatabase } from '@crunch/embedded-postgres/test-database'
import postgres from 'postgres'
import { afterEach, beforeEach } from 'vitest'
import { type DatabaseProxy, startDatabaseProxy } from '../../../../test/database-proxy.ts'
import { createMigratedDatabase } from '../../../../test/migrated-database.ts'
import type { Store } from '../../../ports/store.ts'
import { openPostgresStore, type PostgresStoreOptions } from './postgres-store.ts'

/** A database per test. Everything that is opened here is closed after the test. */
export interface TestStores {
  databaseUrl(): string
  open(options?: Partial<PostgresStoreOptions>): Promise<Store>
  openProxy(): Promise<DatabaseProxy>
  /** A client with one connection, as an operator would use. */
  operator(): postgres.Sql
  /** Runs after the test, before what was opened earlier is closed. */
  onEnd(end: () => unknown): void
}

export function useTestStores(defaults: Omit<PostgresStoreOptions, 'url'>): TestStores {
  let database: TestDatabase | undefined
  const endings: (() => unknown)[] = []

  // Creating a database takes long on a busy machine.
  beforeEach(async () => {
    database = await createMigratedDatabase()
  }, 60_000)

  afterEach(async () => {
    for (const end of endings.splice(0).reverse()) await end()
    await database?.drop()
    database = undefined
  }, 60_000)

  function databaseUrl(): string {
    if (database === undefined) throw new Error('there is a database only during a test')
    return database.url
  }

  return {
    databaseUrl,
    async open(options) {
      const store = await openPostgresStore({ url: databaseUrl(), ...defaults, ...options })
      endings.push(() => store.close())
      return store
    },
    async openProxy() {
      const proxy = await startDatabaseProxy(databaseUrl())
      endings.push(() => proxy.close())
      return proxy
    },
    operator() {
      const sql = postgres(databaseUrl(), { max: 1, onnotice: () => undefined })
      endings.push(() => sql.end({ timeout: 1 }))
      return sql
    },
    onEnd: (end) => void endings.push(end),
  }
}
