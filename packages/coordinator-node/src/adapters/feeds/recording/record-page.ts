import type { SourceRecord } from '../../../ports/feed-source.ts'

/** Some records of a file and, at the same places, the lines that they stand on. */
export interface RecordPage {
  readonly records: readonly SourceRecord[]
  readonly lines: readonly number[]
}
