import type { JsonObject } from '../../../domain/json/json.ts'
import type { Log } from '../../../ports/log.ts'

/** The series that the rows of a recording belong to: a contract's feed in plain values. */
export interface RecordingSeries {
  /** Name of the feed's source, e.g. `binance`. */
  readonly source: string
  /** Every subject that may occur; a row of another one is an error. */
  readonly subjects: readonly string[]
  /** Kind of the feed: `candle`, `tick`, or another name. */
  readonly kind: string
  /** A duration such as `1m`. */
  readonly granularity: string
  /**
   * When a row without `known_at` became known: `event`, at its own time, or `granularity`, one granularity later.
   * Default: `granularity` for candles, whose time is their opening time, and `event` for every other kind.
   */
  readonly knownAfter?: 'event' | 'granularity'
  /** Validates the values of one row, as the contract's schema does. An exception ends the stream with file and line. */
  parseValues?(values: JsonObject): JsonObject
}

/** One file of a recording. */
export interface RecordingFile {
  /** A `.csv`, `.ndjson` or `.jsonl` file, optionally gzipped (`.gz`), a `.parquet` file, or a folder of the archive, named after its granularity. */
  readonly path: string
  /** The subject of all rows, for a file without a `subject` column. Default: the one that the file's name contains. */
  readonly subject?: string
  /** The series of this file. Default: that of the options. */
  readonly series?: RecordingSeries
}

/** Options of `createRecordingSource`. */
export interface RecordingOptions {
  /** 1 to 100 files. */
  readonly files: readonly RecordingFile[]
  /** The series of files that have none of their own. */
  readonly series: RecordingSeries
  /** Number of rows of each file that are read ahead to sort late rows. A row that is later still is an error. Default: 10,000. */
  readonly lookAheadRows?: number
  /** Receives a warning about each file with rows out of order, once it has been read completely. */
  readonly log?: Log
}

/** Maximum number of files of a recording: each keeps its look-ahead rows in memory while it is read. */
export const maxFiles = 100

/** Maximum number of records of one instant, which are kept in memory and delivered together. */
export const maxBatchRecords = 100_000
