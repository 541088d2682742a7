import { CsvError, type Options, type Parser, parse } from 'csv-parse'
import type { Json } from '../../../../domain/json/json.ts'
import type { SourceRecord } from '../../../../ports/feed-source.ts'
import type { FileNotes } from '../file-notes.ts'
import { findSubject } from '../find-subject.ts'
import { readBytes } from '../read-bytes.ts'
import {
  checkColumns,
  createRecordBuilder,
  knownAtColumn,
  readTime,
  receivedAtColumn,
  subjectColumn,
} from '../record-builder.ts'
import { linesOf, openPage, type RecordPage } from '../record-page.ts'
import { atRow, cut, RowProblem, recordingError, rowError } from '../recording-error.ts'
import type { RecordingFile, RecordingSeries } from '../recording-options.ts'
import { checkCandleLength, columnsOfDump } from './candle-dump.ts'
import { type CsvDialect, createLineEndings, dialectOf, isDataLine } from './csv-dialect.ts'
import { parseCell } from './parse-cell.ts'

type CsvRow = readonly string[]

interface CsvTable extends CsvDialect {
  /** Parses rows, at most 64 KiB of text at a time. */
  readonly rows: AsyncGenerator<readonly CsvRow[]>
}

// The high-water mark lets the parser buffer all rows of a chunk, so that each chunk, not each row, costs a turn of the event
// loop: 230,000 rows/s instead of 150,000. A chunk has at most 65,536 rows. The option `info`, which would number the lines,
// doubles the time; counting the line ends within cells costs almost nothing.
const parserOptions: Options & { readonly readableHighWaterMark: number } = {
  bom: true,
  relax_column_count: true,
  max_record_size: 1_048_576,
  readableHighWaterMark: 131_072,
  // By default the parser expects the line end of the first line everywhere. Accepting several line ends costs a third of its speed.
  record_delimiter: '\n',
}
/** The separator is searched only in this many bytes of the first line. */
const maxFirstLineBytes = 65_536

/** The records of a CSV file in file order, one page per 64 KiB of text. */
export async function* readCsvRecords(
  file: RecordingFile,
  series: RecordingSeries,
  notes: FileNotes,
): AsyncGenerator<RecordPage> {
  const placeOf = linesOf(file.path)
  let toRecord: RowParser | undefined
  let line = 0
  let blankLine: number | undefined
  const table = await openTable(file.path)
  for await (const rows of table.rows) {
    const page = openPage(placeOf)
    const take = (parseRow: RowParser, cells: CsvRow): void => {
      page.add(
        line,
        atRow(
          placeOf(line),
          () => cells.join(table.delimiter),
          () => parseRow(cells),
        ),
      )
    }
    for (const cells of rows) {
      line += 1 + lineEndsIn(cells)
      if (blankLine !== undefined) throw rowError(placeOf(blankLine), '', blankProblem())
      // Blank lines are harmless only at the end of a file; elsewhere a row may be missing.
      if (cells.length === 1 && cells[0] === '' && toRecord !== undefined) blankLine = line
      else if (toRecord !== undefined) take(toRecord, cells)
      else {
        const dump = columnsOfDump(cells, series)
        toRecord = createRowParser(dump ?? headerOf(file.path, cells), table, { file, series, notes })
        if (dump !== undefined) take(toRecord, cells)
      }
    }
    yield page
  }
}

/** The columns of a CSV file. */
export async function readCsvHeader(path: string): Promise<readonly string[]> {
  const table = await openTable(path)
  for await (const [first] of table.rows) {
    if (first !== undefined) return first
  }
  throw recordingError(path, 'contains no rows', 'The first line names the columns, every other one is a row.')
}

async function openTable(path: string): Promise<CsvTable> {
  const chunks = readBytes(path)
  const head: Buffer[] = []
  let headBytes = 0
  for (;;) {
    const { done, value } = await chunks.next()
    if (done === true) break
    head.push(value)
    headBytes += value.length
    if (value.includes('\n') || value.includes('\r') || headBytes > maxFirstLineBytes) break
  }
  const [firstLine = ''] = Buffer.concat(head)
    .toString('utf8')
    .replace(/^\uFEFF/, '')
    .split(/\r|\n/, 1)
  const dialect = dialectOf(firstLine)
  return { ...dialect, rows: readRows(path, head, chunks, dialect) }
}

async function* readRows(
  path: string,
  head: readonly Buffer[],
  rest: AsyncGenerator<Buffer>,
  dialect: CsvDialect,
): AsyncGenerator<readonly CsvRow[]> {
  const parser = parse({ ...parserOptions, ...dialect })
  // `write` and `end` below throw errors; without a listener the same errors would also end the process.
  parser.on('error', () => undefined)
  const unify = createLineEndings()
  const write = async (bytes: Buffer): Promise<CsvRow[]> => {
    await settled((done) => parser.write(unify(bytes), done))
    return takeRows(parser)
  }
  try {
    for (const bytes of head) yield await write(bytes)
    for await (const bytes of rest) yield await write(bytes)
    await settled((done) => parser.end(done))
    yield takeRows(parser)
  } catch (error) {
    throw error instanceof CsvError ? csvError(path, error) : error
  } finally {
    parser.destroy()
    await rest.return(undefined)
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

/** A row without a value that its kind requires is not a record. */
type RowParser = (cells: CsvRow) => SourceRecord | undefined

interface RowContext {
  readonly file: RecordingFile
  readonly series: RecordingSeries
  readonly notes: FileNotes
}

function headerOf(path: string, cells: CsvRow): CsvRow {
  if (!isDataLine(cells)) return cells
  const fix = 'Name the columns in a first line of its own, such as "time,open,high,low,close,volume".'
  throw recordingError(
    `${path}, line 1`,
    `there is no header line: "${cut(cells.join(','))}" has values, no names`,
    fix,
  )
}

function createRowParser(header: CsvRow, { delimiter }: CsvDialect, { file, series, notes }: RowContext): RowParser {
  const timeColumn = checkColumns(header, file, `${file.path}, line 1`)
  const timeIndex = header.indexOf(timeColumn)
  const knownAtIndex = header.indexOf(knownAtColumn)
  const subjectIndex = header.indexOf(subjectColumn)
  const subjectOfFile = subjectIndex < 0 ? findSubject(file, series) : ''
  const special = [timeIndex, knownAtIndex, subjectIndex, header.indexOf(receivedAtColumn)]
  const valueIndexes = [...header.keys()].filter((index) => !special.includes(index))
  notes.hasKnownAt = knownAtIndex >= 0
  const build = createRecordBuilder(series)
  const mayHaveComma = delimiter !== ','
  let isFirst = true
  return (cells) => {
    if (cells.length !== header.length) throw columnCountProblem(cells.length, header.length)
    if (isFirst) checkCandleLength(header, cells, series)
    isFirst = false
    const values: Record<string, Json> = {}
    for (const index of valueIndexes) {
      const column = header[index] as string
      const cell = cells[index] as string
      if (mayHaveComma && /^[+-]?\d+,\d+$/.test(cell)) throw decimalComma(column, cell)
      values[column] = parseCell(cell, column)
    }
    return build(
      subjectIndex < 0 ? subjectOfFile : (cells[subjectIndex] as string),
      readTime(timeColumn, cells[timeIndex], notes),
      knownAtIndex < 0 ? undefined : readTime(knownAtColumn, cells[knownAtIndex], notes),
      values,
    )
  }
}

function decimalComma(column: string, cell: string): RowProblem {
  return new RowProblem(`column "${column}" is "${cell}", with a decimal comma`, 'Write numbers with a decimal point.')
}

function columnCountProblem(found: number, expected: number): RowProblem {
  return new RowProblem(`${found} columns instead of ${expected}`, 'Complete the row, or remove it: gaps are fine.')
}

function blankProblem(): RowProblem {
  return new RowProblem('a blank line between rows', 'Remove it, or restore the row that was there.')
}
