import type { Instant } from '../domain/time.ts'

/** The pipeline's time. Deadlines of models do not use it: they are always wall time. */
export interface Clock {
  /** The time last read. */
  now(): Instant
  /** Reads the time again where it is kept outside this process (a replay's, in the database), and returns it. */
  refresh(): Promise<Instant>
  /** Long work awaits this from time to time, so that other pending work runs first. One caller continues at a time. */
  turn(): Promise<void>
  /**
   * Whether time stands still until the models have answered, as in a simulation. Records that arrive together are then offered
   * one after the other, so that one record does not make a slow model late for another.
   */
  readonly waits?: boolean
}
