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
  /** The bytes of a file; `null` if there is none. */
  read(scope: FeedScope, name: string): Promise<Uint8Array<ArrayBuffer> | null>
}
