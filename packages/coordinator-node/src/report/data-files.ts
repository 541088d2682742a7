import type { FeedScope } from '../domain/feed-record.ts'

/** A day of a series in the node's data folder. */
export interface DataFile {
  readonly scope: FeedScope
  /** `2026-03-01.parquet` */
  readonly name: string
  readonly sizeBytes: number
  /** `null`: the file is damaged. */
  readonly recordCount: number | null
}

/** The files that backfills wrote into the data folder of the node. Nothing outside it is ever read. */
export interface DataFiles {
  /** In order of path. */
  list(): Promise<readonly DataFile[]>
  /** `null` if there is none. */
  open(scope: FeedScope, name: string): Promise<OpenDataFile | null>
}

/** A file whose bytes must be read to their end or cancelled, which closes it. */
export interface OpenDataFile {
  readonly sizeBytes: number
  readonly bytes: ReadableStream<Uint8Array<ArrayBuffer>>
}
