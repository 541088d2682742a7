import type { ReportReads } from '../../../../ports/reads/report-reads.ts'
import { createEraStore } from '../era-store.ts'
import { createPredictionStore } from '../prediction-store.ts'
import { createReportStore } from '../report-store.ts'
import { createScheduleStore } from '../schedule-store.ts'
import { connect } from '../session/connect.ts'
import { withPlainConnection } from '../session/plain-connection.ts'
import { storeError } from '../session/store-error.ts'
import { hasNewestSchema } from './migrate.ts'

/** What a database records about the contracts that it was used with. */
export type ContractReads = Pick<
  ReportReads,
  'competition' | 'eras' | 'roundCounts' | 'schedules' | 'latestLeaderboard'
>

export type UnmigratedRead<Result> =
  | { readonly kind: 'read'; readonly result: Result }
  /** The database is empty. */
  | { readonly kind: 'new' }
  /** This code can read the database only after the next start has migrated it. */
  | { readonly kind: 'older' }

/** Reads from a database without migrating it, in a read-only session. Rejects as `checkDatabase` does. */
export async function readWithoutMigrating<Result>(
  url: string,
  read: (reads: ContractReads) => Promise<Result>,
): Promise<UnmigratedRead<Result>> {
  const state = await withPlainConnection(url, async (sql) => {
    if (await hasNewestSchema(sql, url)) return 'read'
    const [row] = await sql<{ isOlder: boolean }[]>`select to_regclass('inputs') is not null as "isOlder"`
    return row?.isOlder === true ? 'older' : 'new'
  })
  if (state !== 'read') return { kind: state }
  const { sql, cut } = connect({ url, keepAlive: {} }, { maxConnections: 1 })
  try {
    await sql`set default_transaction_read_only = on`
    const generation = () => null
    const { roundCounts } = createPredictionStore(sql, { isLive: false, generation })
    const { schedules } = createScheduleStore(sql, generation)
    const { latestLeaderboard } = createReportStore(sql)
    const result = await read({ ...createEraStore(sql), roundCounts, schedules, latestLeaderboard })
    return { kind: 'read', result }
  } catch (error) {
    throw storeError(error, url)
  } finally {
    await sql.end({ timeout: 5 })
    cut()
  }
}
