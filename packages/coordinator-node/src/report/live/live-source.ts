import type { WorkerStore } from '../../ports/store-workers.ts'

/** Shorter ones are for tests. */
export interface StreamLimits {
  /** Streams at a time, and those of one client. */
  readonly clients: number
  readonly clientsOfOne: number
  /** Events, and their bytes, that are kept for clients that read slowly or come back. */
  readonly events: number
  readonly bytes: number
  /** Between two signs of life. */
  readonly heartbeatMs: number
  /** Then the client must ask again, so that a revoked key does not stay open. */
  readonly lifetimeMs: number
  /** After a read that failed. */
  readonly retryMs: number
}

export const streamLimits: StreamLimits = {
  clients: 1_000,
  // A network behind one address holds several people.
  clientsOfOne: 100,
  events: 2_000,
  bytes: 32 * 1_048_576,
  heartbeatMs: 15_000,
  lifetimeMs: 900_000,
  retryMs: 1_000,
}

/** Where the stream hears of changes, and when it ends. */
export interface LiveSource extends Pick<WorkerStore, 'subscribeChanges'> {
  /** Aborts when the node stops: streams end at once. */
  readonly stopping?: AbortSignal
  readonly limits?: Partial<StreamLimits>
}
