import type { Generation } from './session/lease-row.ts'

export interface PredictionStoreOptions {
  /** The database's clock is asked when answers come: rounds lie in wall time. */
  readonly isLive: boolean
  readonly generation: Generation
}
