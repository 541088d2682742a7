import { createTestDatabase, type TestDatabase } from '@crunch/embedded-postgres/test-database'
import { migrateDatabase } from '../src/adapters/store/postgres/schema/migrate.ts'

/** Creates an empty database with the current schema for a test. Copying a template takes a fifth of a migration's time. */
export function createMigratedDatabase(): Promise<TestDatabase> {
  return createTestDatabase({ name: 'migrated', fill: migrateDatabase })
}
