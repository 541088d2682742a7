import type { SourceRecord } from '../../../ports/feed-source.ts'

/** Some records of a file and, at the same indices, the numbers of their lines or rows. */
export interface RecordPage {
  readonly records: readonly SourceRecord[]
  readonly lines: readonly number[]
  /** The numbers of those that are no records: a value is missing. */
  readonly leftOut: readonly number[]
  /** Where a line is, for an error: the file, and what its format calls a line. */
  placeOf(line: number): string
}

/** A page that is being read. `add` takes each line in order; of `undefined`, a value is missing. */
export function openPage(placeOf: RecordPage['placeOf']): RecordPage & {
  add(line: number, record: SourceRecord | undefined): void
} {
  const [records, lines, leftOut]: [SourceRecord[], number[], number[]] = [[], [], []]
  return {
    ...{ records, lines, leftOut, placeOf },
    add(line, record) {
      if (record === undefined) {
        leftOut.push(line)
        return
      }
      records.push(record)
      lines.push(line)
    },
  }
}

/** Places of a text file. */
export function linesOf(path: string): RecordPage['placeOf'] {
  return (line) => `${path}, line ${line}`
}

/** Places of a table without lines: its rows, counted from 1. */
export function rowsOf(path: string): RecordPage['placeOf'] {
  return (row) => `${path}, row ${row}`
}
