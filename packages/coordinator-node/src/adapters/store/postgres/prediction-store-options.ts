export interface PredictionStoreOptions {
  /** The database's clock is asked when answers come: rounds lie in wall time. */
  readonly isLive: boolean
  /** Under which number the store's process took the lease of predicting; `null`: it did not. */
  readonly generation: () => number | null
}
