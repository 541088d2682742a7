import { CsvError, type Options, type Parser, parse } from 'csv-parse'
import type { Json } from '../../../domain/json/json.ts'
import type { SourceRecord } from '../../../ports/feed-source.ts'
import { findSubject } from './find-subject.ts'
import { parseCell } from './parse-cell.ts'
import { readBytes } from './read-bytes.ts'
import {
  checkColumns,
  createRecordBuilder,
  knownAtColumn,
  readTime,
  receivedAtColumn,
  subjectColumn,
} from './record-builder.ts'
import { linesOf, type RecordPage } from './record-page.ts'
import { cut, RowProblem, recordingError, rowError } from './recording-error.ts'
import type { RecordingFile, RecordingSeries } from './recording-options.ts'

type CsvRow = readonly string[]

// The high-water mark lets one chunk's rows all wait in the parser, so that each chunk costs a turn of the event loop instead
// of each row: 230,000 rows/s instead of 150,000. A chunk has at most 65,536 rows. `info`, which would number the lines, costs
// as much again; counting the line ends that cells hold costs next to nothing.
const parserOptions: Options & { readonly readableHighWaterMark: number } = {
  bom: true,
  relax_column_count: true,
  max_record_size: 1_048_576,
  readableHighWaterMark: 131_072,
}

/** The records of a CSV file in the file's order, a page for each 64 KiB of text. */
export async function* readCsvRecords(file: RecordingFile, series: RecordingSeries): AsyncGenerator<RecordPage> {
  const placeOf = linesOf(file.path)
  let toRecord: ((cells: CsvRow) => SourceRecord) | undefined
  let line = 0
  let blankLine: number | undefined
  for await (const rows of readRows(file.path)) {
    const records: SourceRecord[] = []
    const lines: number[] = []
    for (const cells of rows) {
      line += 1 + lineEndsIn(cells)
      if (blankLine !== undefined) throw rowError(placeOf(blankLine), '', blankProblem())
      // Blank lines are harmless at the end of a file only: elsewhere a row may have been lost there.
      if (cells.length === 1 && cells[0] === '' && toRecord !== undefined) blankLine = line
      else if (toRecord === undefined) toRecord = createRowParser(cells, file, series)
      else {
        records.push(located(placeOf(line), cells, toRecord))
        lines.push(line)
      }
    }
    yield { records, lines, placeOf }
  }
}

/** The columns of a CSV file. */
export async function readCsvHeader(path: string): Promise<readonly string[]> {
  for await (const [first] of readRows(path)) {
    if (first !== undefined) return first
  }
  throw recordingError(path, 'holds no rows', 'The first line names the columns, every other one is a row.')
}

async function* readRows(path: string): AsyncGenerator<readonly CsvRow[]> {
  const parser = parse(parserOptions)
  // Errors are thrown by `write` and `end` below; without a listener they would end the process as well.
  parser.on('error', () => undefined)
  try {
    for await (const bytes of readBytes(path)) {
      await settled((done) => parser.write(bytes, done))
      yield takeRows(parser)
    }
    await settled((done) => parser.end(done))
    yield takeRows(parser)
  } catch (error) {
    throw error instanceof CsvError ? csvError(path, error) : error
  } finally {
    parser.destroy()
  }
}

function takeRows(parser: Parser): CsvRow[] {
  const rows: CsvRow[] = []
  for (let row = parser.read() as CsvRow | null; row !== null; row = parser.read() as CsvRow | null) rows.push(row)
  return rows
}

function lineEndsIn(cells: CsvRow): number {
  let count = 0
  for (const cell of cells) if (cell.includes('\n')) count += cell.split('\n').length - 1
  return count
}

function settled(start: (done: (error?: Error | null) => void) => void): Promise<void> {
  return new Promise((resolve, reject) => {
    start((error) => (error ? reject(error) : resolve()))
  })
}

function csvError(path: string, error: CsvError): Error {
  const line = Number((error as { lines?: unknown }).lines ?? 0)
  const where = line > 0 ? `${path}, line ${line}` : path
  return recordingError(
    where,
    `is not valid CSV (${cut(error.message)})`,
    'Look for an unclosed or stray quote.',
    error,
  )
}

function located(place: string, cells: CsvRow, toRecord: (cells: CsvRow) => SourceRecord): SourceRecord {
  try {
    return toRecord(cells)
  } catch (error) {
    throw error instanceof RowProblem ? rowError(place, cells.join(','), error) : error
  }
}

function createRowParser(
  header: CsvRow,
  file: RecordingFile,
  series: RecordingSeries,
): (cells: CsvRow) => SourceRecord {
  const timeColumn = checkColumns(header, file, `${file.path}, line 1`)
  const timeIndex = header.indexOf(timeColumn)
  const knownAtIndex = header.indexOf(knownAtColumn)
  const subjectIndex = header.indexOf(subjectColumn)
  const subjectOfFile = subjectIndex < 0 ? findSubject(file, series) : ''
  const special = [timeIndex, knownAtIndex, subjectIndex, header.indexOf(receivedAtColumn)]
  const valueIndexes = [...header.keys()].filter((index) => !special.includes(index))
  const build = createRecordBuilder(series)
  return (cells) => {
    if (cells.length !== header.length) throw columnCountProblem(cells.length, header.length)
    const values: Record<string, Json> = {}
    for (const index of valueIndexes) {
      const column = header[index] as string
      values[column] = parseCell(cells[index] as string, column)
    }
    return build(
      subjectIndex < 0 ? subjectOfFile : (cells[subjectIndex] as string),
      readTime(timeColumn, cells[timeIndex]),
      knownAtIndex < 0 ? undefined : readTime(knownAtColumn, cells[knownAtIndex]),
      values,
    )
  }
}

function columnCountProblem(found: number, expected: number): RowProblem {
  return new RowProblem(`${found} columns instead of ${expected}`, 'Complete the row, or remove it: gaps are fine.')
}

function blankProblem(): RowProblem {
  return new RowProblem('a blank line between rows', 'Remove it, or restore the row that was there.')
}
