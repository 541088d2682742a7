import { type Json, type JsonObject, toJson, toJsonObject } from '../../../domain/json/json.ts'
import type { Instant } from '../../../domain/time.ts'
import type { SourceRecord } from '../../../ports/feed-source.ts'
import type { FileNotes } from './file-notes.ts'
import { findSubject } from './find-subject.ts'
import { openParquetFile, type ParquetCells } from './parquet-file.ts'
import {
  checkColumns,
  createRecordBuilder,
  knownAtColumn,
  numberColumns,
  readTime,
  receivedAtColumn,
  subjectColumn,
} from './record-builder.ts'
import { openPage, type RecordPage, rowsOf } from './record-page.ts'
import { atRow, cut, RowProblem, recordingError, refusalOf } from './recording-error.ts'
import type { RecordingFile, RecordingSeries } from './recording-options.ts'

/** Time column of the archive layout, which also has columns that name the series of each row. */
export const archiveTimeColumn = 'ts_event'
/** Column of the archive layout with the values that have no column of their own, as JSON. */
export const archiveMetaColumn = 'meta'
/** Key in `meta` for information about the record other than its values. */
export const recordMetaKey = '_record_meta'

/** The records of a Parquet file in file order, at most 10,000 rows per page. */
export async function* readParquetRecords(
  file: RecordingFile,
  series: RecordingSeries,
  notes: FileNotes,
): AsyncGenerator<RecordPage> {
  const { path } = file
  const opened = await openParquetFile(path)
  try {
    const toRecord = createRowParser(opened.columns, { file, series, notes })
    const placeOf = rowsOf(path)
    let row = 0
    for await (const rows of opened.pages()) {
      const page = openPage(placeOf)
      for (const cells of rows) {
        row += 1
        page.add(
          row,
          atRow(
            placeOf(row),
            () => cells.map(textOf).join(','),
            () => toRecord(cells),
          ),
        )
      }
      yield page
    }
  } finally {
    await opened.close()
  }
}

/** The columns of a Parquet file. */
export async function readParquetHeader(path: string): Promise<readonly string[]> {
  const opened = await openParquetFile(path)
  await opened.close()
  if (opened.rowCount > 0) return opened.columns
  throw recordingError(path, 'contains no rows', 'Record it again, or omit it.')
}

/** A row without a value that its kind requires is not a record. */
type RowParser = (cells: ParquetCells) => SourceRecord | undefined

interface RowContext {
  readonly file: RecordingFile
  readonly series: RecordingSeries
  readonly notes: FileNotes
}

function createRowParser(columns: readonly string[], { file, series, notes }: RowContext): RowParser {
  const timeColumn = checkColumns(columns, file, file.path, [archiveTimeColumn])
  const place = (name: string | undefined): number => (name === undefined ? -1 : columns.indexOf(name))
  const subjectIndex = place(subjectColumn)
  const subjectOfFile = subjectIndex < 0 ? findSubject(file, series) : ''
  const isArchive = timeColumn === archiveTimeColumn
  const scopeColumns = isArchive
    ? (['source', 'kind', 'granularity'] as const).filter((it) => columns.includes(it))
    : []
  const metaColumn = isArchive && columns.includes(archiveMetaColumn) ? archiveMetaColumn : undefined
  const special = [timeColumn, knownAtColumn, receivedAtColumn, subjectColumn, metaColumn, ...scopeColumns]
  const valueIndexes = [...columns.keys()].filter((index) => !special.includes(columns[index]))
  const [timeIndex, knownAtIndex, metaIndex] = [place(timeColumn), place(knownAtColumn), place(metaColumn)]
  const scopeIndexes = scopeColumns.map((column) => [column, place(column)] as const)
  const build = createRecordBuilder(series)
  return (cells) => {
    for (const [column, index] of scopeIndexes) checkScope(column, cells[index], series[column])
    const { [recordMetaKey]: recordMeta, ...meta } = metaIndex < 0 ? {} : parseMeta(cells[metaIndex])
    const values: Record<string, Json> = {}
    for (const index of valueIndexes) {
      // An empty cell of the archive means that the record does not have this value.
      const column = columns[index] as string
      if (isArchive && cells[index] === null) continue
      values[column] = jsonCell(column, cells[index])
    }
    const known = knownAtIndex < 0 ? knownAtOf(recordMeta) : cells[knownAtIndex]
    notes.hasKnownAt ||= known !== undefined && known !== null
    return build(
      subjectIndex < 0 ? subjectOfFile : readSubject(cells[subjectIndex]),
      instantCell(timeColumn, cells[timeIndex], notes),
      known === undefined || known === null ? undefined : instantCell(knownAtColumn, known, notes),
      metaIndex < 0 ? values : { ...values, ...meta },
      // The archive stores values unchanged.
      !isArchive,
    )
  }
}

function checkScope(column: string, found: unknown, expected: string): void {
  if (found === expected) return
  const problem = `column "${column}" is "${cut(textOf(found))}", and the feed's is "${expected}"`
  throw new RowProblem(problem, 'Name a recording of this feed, or change the feed.')
}

function readSubject(value: unknown): string {
  if (typeof value === 'string') return value
  throw new RowProblem('"subject" is not a string', "Write the subject's name.")
}

function parseMeta(text: unknown): JsonObject {
  // The usual case for candles.
  if (text === '{}' || text === null) return {}
  try {
    if (typeof text !== 'string') throw new TypeError('it is not text')
    return toJsonObject(JSON.parse(text), archiveMetaColumn)
  } catch (error) {
    const problem = `column "${archiveMetaColumn}" is not a JSON object (${refusalOf(error)})`
    throw new RowProblem(problem, 'Write the other values as a JSON object, or {} if there are none.', { cause: error })
  }
}

/** Other writers may store other information about a record. */
function knownAtOf(recordMeta: Json | undefined): Json | undefined {
  if (typeof recordMeta !== 'object' || recordMeta === null || !(knownAtColumn in recordMeta)) return undefined
  return (recordMeta as JsonObject)[knownAtColumn]
}

function instantCell(column: string, value: unknown, notes: FileNotes): Instant {
  if (value instanceof Date) {
    const at = value.getTime()
    if (!Number.isNaN(at)) return at
  }
  return readTime(column, value, notes)
}

/** A cell as a value. An integer that JavaScript cannot represent exactly becomes text, as in the other formats. */
function jsonCell(column: string, value: unknown): Json {
  const plain = typeof value === 'bigint' && Number.isSafeInteger(Number(value)) ? Number(value) : value
  if (typeof plain === 'number' && Number.isFinite(plain)) return plain === 0 ? 0 : plain
  if (numberColumns.has(column)) {
    if (plain === null || plain === undefined || Number.isNaN(plain)) return null
    throw new RowProblem(`column "${column}" is ${textOf(value)}, which is not a number`, 'Write a finite number.')
  }
  if (typeof plain === 'string') return plain
  try {
    return toJson(plainCell(plain), `column "${column}"`)
  } catch (error) {
    const fix = 'Write numbers, texts, times, or lists and structures of them.'
    throw new RowProblem(refusalOf(error), fix, { cause: error })
  }
}

function plainCell(value: unknown): unknown {
  if (typeof value === 'bigint') return Number.isSafeInteger(Number(value)) ? Number(value) : String(value)
  if (value === undefined) return null
  if (value instanceof Date) return Number.isNaN(value.getTime()) ? Number.NaN : value.toISOString()
  if (typeof value !== 'object' || value === null) return value
  if (value instanceof Uint8Array) return value
  if (Array.isArray(value) || ArrayBuffer.isView(value)) return Array.from(value as ArrayLike<unknown>, plainCell)
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, plainCell(item)]))
}

function textOf(value: unknown): string {
  if (value === null || value === undefined) return ''
  if (value instanceof Date) return Number.isNaN(value.getTime()) ? 'no time' : value.toISOString()
  if (typeof value === 'object') {
    return JSON.stringify(value, (_, item) => (typeof item === 'bigint' ? String(item) : (item as unknown)))
  }
  return String(value)
}
