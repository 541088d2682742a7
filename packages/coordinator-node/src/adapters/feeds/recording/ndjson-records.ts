import { type Json, type JsonObject, toJsonObject } from '../../../domain/json/json.ts'
import type { SourceRecord } from '../../../ports/feed-source.ts'
import type { FileNotes } from './file-notes.ts'
import { findSubject } from './find-subject.ts'
import { readBytes } from './read-bytes.ts'
import {
  createRecordBuilder,
  findTimeColumn,
  knownAtColumn,
  numberColumns,
  readTime,
  receivedAtColumn,
  subjectColumn,
  timeColumnFix,
} from './record-builder.ts'
import { linesOf, openPage, type RecordPage } from './record-page.ts'
import { atRow, RowProblem, recordingError, refusalOf, rowError } from './recording-error.ts'
import type { RecordingFile, RecordingSeries } from './recording-options.ts'

const maxLineLength = 1_048_576

/** The records of a file with one JSON object per line, in file order, one page per 64 KiB of text. */
export async function* readNdjsonRecords(
  file: RecordingFile,
  series: RecordingSeries,
  notes: FileNotes,
): AsyncGenerator<RecordPage> {
  const placeOf = linesOf(file.path)
  const toRecord = createRowParser(file, series, notes)
  let line = 0
  let blankLine: number | undefined
  for await (const texts of readLines(file.path)) {
    const page = openPage(placeOf)
    for (const text of texts) {
      line += 1
      if (blankLine !== undefined) {
        const problem = new RowProblem('a blank line between rows', 'Remove it, or restore the row that was there.')
        throw rowError(placeOf(blankLine), '', problem)
      }
      if (text.trim() === '') {
        blankLine = line
        continue
      }
      page.add(
        line,
        atRow(
          placeOf(line),
          () => text,
          () => toRecord(text),
        ),
      )
    }
    yield page
  }
}

/** The first row's keys. */
export async function readNdjsonHeader(path: string): Promise<readonly string[]> {
  for await (const [first] of readLines(path)) {
    if (first === undefined) continue
    const parse = () => Object.keys(parseObject(first))
    return atRow(linesOf(path)(1), () => first, parse)
  }
  throw recordingError(path, 'contains no rows', 'Every line is one JSON object.')
}

async function* readLines(path: string): AsyncGenerator<readonly string[]> {
  const decoder = new TextDecoder('utf-8')
  let rest = ''
  let count = 0
  for await (const bytes of readBytes(path)) {
    const lines = (rest + decoder.decode(bytes, { stream: true })).split('\n')
    rest = lines.pop() ?? ''
    count += lines.length
    if (rest.length > maxLineLength) {
      const problem = `is longer than ${maxLineLength} characters`
      throw recordingError(`${path}, line ${count + 1}`, problem, 'Write one JSON object per line.')
    }
    yield lines
  }
  rest += decoder.decode()
  if (rest !== '') yield [rest]
}

/** A row without a value that its kind requires is not a record. */
type RowParser = (text: string) => SourceRecord | undefined

function createRowParser(file: RecordingFile, series: RecordingSeries, notes: FileNotes): RowParser {
  const build = createRecordBuilder(series)
  let subjectOfFile: string | undefined
  let keys = ''
  let timeColumn: string | undefined
  return (text) => {
    const row = parseObject(text)
    const names = Object.keys(row)
    const joined = names.join()
    // The keys are nearly always those of the previous row.
    if (joined !== keys) timeColumn = findTimeColumn(names)
    keys = joined
    if (timeColumn === undefined) throw new RowProblem('no key holds the time', timeColumnFix())
    const {
      [timeColumn]: time,
      [knownAtColumn]: knownAt,
      [subjectColumn]: subject,
      [receivedAtColumn]: _,
      ...values
    } = row
    if (subject !== undefined && typeof subject !== 'string') {
      throw new RowProblem('"subject" is not a string', "Write the subject's name.")
    }
    if (subject === undefined) subjectOfFile ??= findSubject(file, series)
    checkNumbers(values)
    notes.hasKnownAt ||= knownAt !== undefined
    return build(
      subject ?? (subjectOfFile as string),
      readTime(timeColumn, time, notes),
      knownAt === undefined ? undefined : readTime(knownAtColumn, knownAt, notes),
      values,
    )
  }
}

function parseObject(text: string): JsonObject {
  try {
    return toJsonObject(JSON.parse(text), 'row')
  } catch (error) {
    throw new RowProblem(`not a JSON object (${refusalOf(error)})`, 'Write one JSON object per line.', { cause: error })
  }
}

function checkNumbers(values: Record<string, Json>): void {
  for (const column of numberColumns) {
    const value = values[column]
    if (value === undefined || value === null || typeof value === 'number') continue
    throw new RowProblem(`"${column}" is ${JSON.stringify(value)}, which is not a number`, 'Write a finite number.')
  }
}
