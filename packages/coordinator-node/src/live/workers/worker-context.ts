import type { AnyContract } from '../../contract/crunch-contract.ts'
import type { EraSpan } from '../../domain/era.ts'
import type { Clock } from '../../ports/clock.ts'
import type { FeedSource } from '../../ports/feed-source.ts'
import type { Log } from '../../ports/log.ts'
import type { Store } from '../../ports/store.ts'
import type { Settings } from '../settings.ts'

/** A worker of a node. `feed-data` and `predict` are fastest in the same process; the others can run anywhere. */
export type WorkerName = 'feed-data' | 'predict' | 'score' | 'checkpoint' | 'report'

/** The names of all workers, in the order of the pipeline. */
export const workerNames: readonly WorkerName[] = ['feed-data', 'predict', 'score', 'checkpoint', 'report']

/** Context shared by all workers of a process. */
export interface WorkerContext {
  readonly contract: AnyContract
  /** The folder of the contract: for `openPayouts`. */
  readonly contractFolder: string
  readonly settings: Settings
  readonly store: Store
  /** The era that this process has entered. */
  readonly era: EraSpan
  /** The pipeline's clock in this process; a replay's feed worker has its own. */
  readonly clock: Clock
  readonly log: Log
  /** Live sources by the name that contracts use. */
  readonly sources: ReadonlyMap<string, FeedSource>
  /** Ends the worker: it drains and returns. */
  readonly signal: AbortSignal
  /** Reports that one worker is ready. */
  readonly ready: (worker: WorkerName, fields?: Readonly<Record<string, string | number>>) => void
}
