import postgres from 'postgres'
import { type BackfillJob, backfillStatusesBefore, seriesIsTaken } from '../../../domain/backfill-job.ts'
import { CrunchError } from '../../../domain/errors.ts'
import type { BackfillStore } from '../../../ports/store-backfill.ts'
import { compareText } from '../compare-text.ts'
import { encodeInstant } from './schema/instant-codec.ts'
import { type ScopeRow, scopeOf } from './schema/rows.ts'
import { jsonParameter, type Sql } from './session/connect.ts'

interface JobRow extends ScopeRow, Omit<BackfillJob, 'scope'> {}

export function createBackfillStore(sql: Sql): BackfillStore {
  return {
    async addBackfillJob({ scope, ...job }) {
      const document = {
        ...job,
        ...scopeOf(scope),
        from: encodeInstant(job.from),
        to: encodeInstant(job.to),
        cursor: encodeInstant(job.cursor),
        createdAt: encodeInstant(job.createdAt),
        updatedAt: encodeInstant(job.updatedAt),
      }
      const rows = await sql`
        insert into backfill_jobs (id, source, subject, kind, granularity, from_at, to_at, target, directory, cursor_at,
          record_count, page_count, status, run_by, error, created_at, updated_at)
        select * from json_to_record(${jsonParameter(sql, document)}) as j(
          id text, source text, subject text, kind text, granularity text, "from" timestamptz, "to" timestamptz,
          target text, directory text, cursor timestamptz, "recordCount" int8, "pageCount" int8, status text, "runBy" text, error text,
          "createdAt" timestamptz, "updatedAt" timestamptz)
        on conflict do nothing returning 1`
      return rows.length > 0
    },
    async moveBackfillJob(id, { to, from, error, at }) {
      const document = { id, to, error, at: encodeInstant(at), before: backfillStatusesBefore(to, from) }
      const rows = await sql`
        update backfill_jobs set status = m."to", error = m.error, updated_at = greatest(updated_at, m.at)
        from json_to_record(${jsonParameter(sql, document)}) as m(
          id text, "to" text, error text, at timestamptz, before json)
        where backfill_jobs.id = m.id and status in (select json_array_elements_text(m.before))
        returning 1`.catch((cause: unknown) => {
        if (!isUniqueViolation(cause)) throw cause
        throw new CrunchError('CONFLICT', seriesIsTaken(id), { cause })
      })
      return rows.length > 0
    },
    async advanceBackfillJob(id, { cursor, recordCount, pageCount, at }) {
      const rows = await sql`
        update backfill_jobs set
          cursor_at = greatest(cursor_at, ${cursor}::timestamptz),
          record_count = record_count + ${recordCount}::int8,
          page_count = page_count + ${pageCount}::int8,
          updated_at = greatest(updated_at, ${at}::timestamptz)
        where id = ${id} and status = 'running'
        returning 1`
      return rows.length > 0
    },
    async backfillJobs() {
      const rows = await sql<JobRow[]>`
        select id, source, subject, kind, granularity, from_at as "from", to_at as "to", target, directory,
          cursor_at as "cursor", record_count as "recordCount", page_count as "pageCount", status, run_by as "runBy",
          error, created_at as "createdAt", updated_at as "updatedAt"
        from backfill_jobs`
      return rows.map(jobOf).sort((left, right) => right.createdAt - left.createdAt || compareText(left.id, right.id))
    },
  }
}

function isUniqueViolation(error: unknown): boolean {
  return error instanceof postgres.PostgresError && error.code === '23505'
}

function jobOf({ source, subject, kind, granularity, ...job }: JobRow): BackfillJob {
  return { ...job, scope: { source, subject, kind, granularity } }
}
