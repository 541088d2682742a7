import type { Instant } from '../domain/time.ts'

/** The pipeline's time. Deadlines of models are not this: they are wall time always. */
export interface Clock {
  /** The time last read. */
  now(): Instant
  /** Reads the time anew where it lives outside this process (a replay's, in the database), then answers it. */
  refresh(): Promise<Instant>
  /** Long work waits for this from time to time, so that whatever else has come is served first. One caller goes on at a time. */
  turn(): Promise<void>
}
