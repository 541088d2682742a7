import type { AnyContract } from '../../contract/crunch-contract.ts'
import { resolveContract } from '../../contract/resolved-contract.ts'
import type { BackfillJob } from '../../domain/backfill-job.ts'
import type { FeedSource } from '../../ports/feed-source.ts'
import type { Log } from '../../ports/log.ts'
import type { Store } from '../../ports/store.ts'
import { createSource } from '../feeds/live-sources.ts'
import { defaultPatience, wallTiming } from '../follow/timing.ts'
import type { Settings } from '../settings.ts'
import { backfillWriter } from './backfill-writer.ts'
import { type BackfillOptions, runBackfill } from './run-backfill.ts'

/** What a backfill of a node needs. */
export interface BackfillContext extends Pick<BackfillOptions, 'signal' | 'from' | 'onProgress'> {
  readonly contract: AnyContract
  readonly store: Store
  readonly log: Log
}

/** To create a source. */
export interface SourceSettings {
  readonly settings: Settings
  /** Settings, which contain the keys of providers. */
  readonly env: Readonly<Record<string, string | undefined>>
}

/** Retries for about three minutes, unless the provider says how long to wait. */
const maxTries = 8

/** Continues a stored job with this node's source of that name, as `runBackfill` does. */
export async function backfill(job: BackfillJob, context: BackfillContext & SourceSettings): Promise<BackfillJob> {
  const { contract, settings, env, log } = context
  return backfillFrom(createSource(job.scope.source, contract, settings, { env, log }), job, context)
}

/** The same from a source that is open already. */
export async function backfillFrom(
  source: FeedSource,
  job: BackfillJob,
  context: BackfillContext,
): Promise<BackfillJob> {
  const { contract, store, log } = context
  const writer = backfillWriter(job, { resolved: resolveContract(contract), store, log, now: wallTiming.now })
  return runBackfill(job.id, { ...context, ...writer, source, timing: wallTiming, patience: defaultPatience, maxTries })
}
