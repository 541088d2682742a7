import type { SourceRecord } from '../../../ports/feed-source.ts'

/** Records of a file and, at the same indices, their line or row numbers. */
export interface RecordPage {
  readonly records: readonly SourceRecord[]
  readonly lines: readonly number[]
  /** Line or row numbers of rows that are not records because a value is missing. */
  readonly leftOut: readonly number[]
  /** Place of a line for an error: the file and the line or row. */
  placeOf(line: number): string
}

/** A page that is being read. `add` takes each line in order; `undefined` is a row with a missing value. */
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
