import { createTestDatabase, type TestDatabase } from '@crunch/embedded-postgres/test-database'
import { migrateDatabase } from '../src/adapters/store/postgres/schema/migrate.ts'

/** A database of its own for a test, with the schema of this code and without rows. A copy takes a fifth of a migration's time. */
export function createMigratedDatabase(): Promise<TestDatabase> {
  return createTestDatabase({ name: 'migrated', fill: migrateDatabase })
}
