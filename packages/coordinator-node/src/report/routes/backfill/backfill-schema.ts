import { z } from 'zod'
import type { BackfillJob } from '../../../domain/backfill-job.ts'
import { zonedTime } from '../../rows/row-fields.ts'
import { count, textOrNull, zonedTime as zonedTimeSchema } from '../../schemas/fields.ts'
import { scopeFields } from '../../schemas/question.ts'

export const jobRow = z
  .object({
    id: z.string(),
    ...scopeFields,
    target: z.enum(['tables', 'parquet']),
    start_ts: zonedTimeSchema,
    end_ts: zonedTimeSchema,
    cursor_ts: zonedTimeSchema.meta({ description: 'Every record before it is written. UTC, with Z.' }),
    records_written: count,
    pages_fetched: count,
    status: z.enum(['pending', 'running', 'completed', 'failed', 'cancelled']),
    run_by: z.enum(['node', 'command']).meta({
      description: '`node`: asked for over this API, and resumed after a crash. `command`: by `crunch backfill`.',
    }),
    error: textOrNull,
    created_at: zonedTimeSchema,
    updated_at: zonedTimeSchema,
  })
  .meta({ id: 'BackfillJob' })

export function jobFields(job: BackfillJob): z.input<typeof jobRow> {
  return {
    id: job.id,
    ...job.scope,
    target: job.target,
    start_ts: zonedTime(job.from),
    end_ts: zonedTime(job.to),
    cursor_ts: zonedTime(job.cursor),
    records_written: job.recordCount,
    pages_fetched: job.pageCount,
    status: job.status,
    run_by: job.runBy,
    error: job.error,
    created_at: zonedTime(job.createdAt),
    updated_at: zonedTime(job.updatedAt),
  }
}
