import type { Generation } from './session/lease-row.ts'

export interface PredictionStoreOptions {
  /** Whether rounds are in wall time, so that the database clock is checked when answers are stored. */
  readonly isLive: boolean
  readonly generation: Generation
}
