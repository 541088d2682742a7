import type { AnyContract } from '../../contract/crunch-contract.ts'
import { resolveContract } from '../../contract/resolved-contract.ts'
import type { BackfillJob } from '../../domain/backfill-job.ts'
import type { Log } from '../../ports/log.ts'
import type { Store } from '../../ports/store.ts'
import { createSource } from '../feeds/live-sources.ts'
import { defaultPatience, wallTiming } from '../follow/timing.ts'
import type { Settings } from '../settings.ts'
import { backfillWriter } from './backfill-writer.ts'
import { type BackfillProgress, runBackfill } from './run-backfill.ts'

/** What a backfill of a node needs. */
export interface BackfillContext {
  readonly contract: AnyContract
  readonly settings: Settings
  /** Settings, which contain the keys of providers. */
  readonly env: Readonly<Record<string, string | undefined>>
  readonly store: Store
  readonly log: Log
  readonly signal: AbortSignal
  readonly onProgress?: (progress: BackfillProgress) => void
}

/** Retries for about three minutes, unless the provider says how long to wait. */
const maxTries = 8

/** Continues a stored job with this node's source of that name, as `runBackfill` does. */
export async function backfill(job: BackfillJob, context: BackfillContext): Promise<BackfillJob> {
  const { contract, settings, env, store, log } = context
  const resolved = resolveContract(contract)
  const writer = backfillWriter(job, { resolved, store, log, now: wallTiming.now })
  const source = createSource(job.scope.source, contract, settings, { env, log })
  return runBackfill(job.id, { ...context, ...writer, source, timing: wallTiming, patience: defaultPatience, maxTries })
}
