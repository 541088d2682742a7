import type { JsonObject } from '../../../domain/json/json.ts'
import type { Log } from '../../../ports/log.ts'

/** What the rows of a recording are about: a contract's feed in plain values. */
export interface RecordingSeries {
  readonly source: string
  /** Every subject that may occur; a row about another one is an error. */
  readonly subjects: readonly string[]
  readonly kind: string
  /** A duration such as `1m`. */
  readonly granularity: string
  /**
   * When a row without `known_at` became known: `event`, at its own time, or `granularity`, one granularity later.
   * By default `granularity` for candles, whose time is when they open, and `event` for every other kind.
   */
  readonly knownAfter?: 'event' | 'granularity'
  /** Checks and completes the values of one row, as the contract's schema does; what it throws is the row's fault. */
  parseValues?(values: JsonObject): JsonObject
}

export interface RecordingFile {
  /** Ends in `.csv`, `.ndjson` or `.jsonl`, each with or without `.gz`, or in `.parquet`; or a folder of the archive, named as its granularity. */
  readonly path: string
  /** Of all rows, for a file without a `subject` column; by default the one subject that the file's name contains. */
  readonly subject?: string
  /** When the file is about something else than the other ones. */
  readonly series?: RecordingSeries
}

export interface RecordingOptions {
  readonly files: readonly RecordingFile[]
  readonly series: RecordingSeries
  /** Rows read ahead of each file to bring late ones into order; by default 10,000. One that is later is an error. */
  readonly lookAheadRows?: number
  /** Told, once a file that was read to its end, how many rows were out of order. */
  readonly log?: Log
}

/** Most files of one recording: each holds its look-ahead in memory while it is read. */
export const maxFiles = 100

/** Most records of one instant: they are handed over, and held in memory, together. */
export const maxBatchRecords = 100_000
