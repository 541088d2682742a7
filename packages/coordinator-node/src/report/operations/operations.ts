import { feedScopeKey } from '../../domain/feed-record.ts'
import type { Instant } from '../../domain/time.ts'
import type { TableSize } from '../../ports/reads/operations-reads.ts'
import { predictLease } from '../../ports/store-workers.ts'
import { defineRoute } from '../http/define-route.ts'
import { serveRoute } from '../http/serve-route.ts'
import type { ReportContext } from '../report-context.ts'
import { zonedTime } from '../rows/row-fields.ts'
import { type OperationsFacts, problemRows, stageRows } from './judge-stages.ts'
import { type OperationsBody, operationsBody } from './operations-schema.ts'

const operations = defineRoute({
  method: 'get',
  path: '/reports/operations',
  tag: 'Node',
  summary: 'How each stage of the pipeline does: its lag, throughput, queue, latency and failures, and what to do.',
  description: 'Requests within 5 s share one read of the database.',
  tier: 'read',
  answer: operationsBody,
  example: { path: '/reports/operations' },
})

const hourMs = 3_600_000
const sharedMs = 5_000
const maxPending = 20

interface Reading extends OperationsFacts {
  readonly sizes: readonly TableSize[]
  readonly growth: NonNullable<OperationsBody['database']>['growth']
}

/** Reads for all requests of 5 s together. */
export function createReader(report: ReportContext, monotonicMs = () => performance.now()): () => Promise<Reading> {
  let first: { readonly at: Instant; readonly bytes: number } | undefined
  let last: { readonly readAtMs: number; readonly reading: Promise<Reading> } | undefined

  async function read(): Promise<Reading> {
    const { facts, sizes } = await readFacts(report)
    const bytes = totalBytes(sizes)
    const growth = first === undefined ? null : { bytes: bytes - first.bytes, since: zonedTime(first.at) }
    first ??= { at: facts.now, bytes }
    return { ...facts, sizes, growth }
  }

  return () => {
    if (last === undefined || monotonicMs() - last.readAtMs >= sharedMs) {
      const reading = read()
      const own = { readAtMs: monotonicMs(), reading }
      last = own
      // A failure is not shared with later requests.
      reading.catch(() => {
        if (last === own) last = undefined
      })
    }
    return last.reading
  }
}

export const serveOperations = serveRoute(operations, (report) => {
  const shared = createReader(report)
  return async ({ viewer }) => {
    const reading = await shared()
    const isAdmin = viewer.role === 'admin'
    const problems = problemRows(reading, report, isAdmin)
    return {
      at: zonedTime(reading.now),
      status: problems.length === 0 ? ('ok' as const) : ('degraded' as const),
      problems,
      stages: stageRows(reading, report.contract.snapshotEveryMs),
      workers: reading.progress.heartbeats.map(({ worker, at, silentMs, overdueMs, sinceWorkMs, problem }) => ({
        ...{ worker, heartbeat_at: zonedTime(at), silent_ms: silentMs, since_work_ms: sinceWorkMs },
        is_silent: overdueMs > 0,
        ...{ is_failing: problem !== null, problem: isAdmin ? problem : null },
      })),
      database: databaseRow(reading),
    }
  }
})

async function readFacts({ reads, clock, contract }: ReportContext) {
  const now = await clock.refresh()
  const [progress, activity, feeds, models, pending, lease, sizes] = await Promise.all([
    reads.pipelineProgress(now),
    reads.stageActivity(now - hourMs, now),
    reads.feedStates(),
    reads.models(),
    reads.checkpoints({ status: 'PENDING', limit: maxPending }),
    reads.leaseState(predictLease),
    reads.tableSizes(),
  ])
  const own = feeds.filter(({ scope }) => contract.feeds.includes(feedScopeKey(scope)))
  return { facts: { now, progress, activity, feeds: own, models, pending, lease }, sizes }
}

function totalBytes(sizes: readonly TableSize[]): number {
  return sizes.reduce((sum, { bytes }) => sum + bytes, 0)
}

function databaseRow({ sizes, growth }: Reading): OperationsBody['database'] {
  if (sizes.length === 0) return null
  const tables = sizes.map(({ table, bytes, rowCount }) => ({ table, bytes, rows: rowCount }))
  return { bytes: totalBytes(sizes), growth, tables }
}
