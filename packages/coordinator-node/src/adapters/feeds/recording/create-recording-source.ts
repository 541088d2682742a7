import { CrunchError } from '../../../domain/errors.ts'
import { type FeedScope, feedScopeKey } from '../../../domain/feed-record.ts'
import type { Instant } from '../../../domain/time.ts'
import type { FeedOffer, FeedSourceWithHistory, SourceRecord } from '../../../ports/feed-source.ts'
import { silentLog } from '../../../ports/log.ts'
import { isArchiveFolder, readArchiveHeader, readArchiveRecords } from './archive-folder.ts'
import { readCsvHeader, readCsvRecords } from './csv/csv-records.ts'
import { logAssumedUtc, logLookAhead, type NoteLog, newFileNotes } from './file-notes.ts'
import { findSubject } from './find-subject.ts'
import { mergeByTime } from './merge-by-time.ts'
import { readNdjsonHeader, readNdjsonRecords } from './ndjson-records.ts'
import { readParquetHeader, readParquetRecords } from './parquet-records.ts'
import { subjectColumn } from './record-builder.ts'
import type { RecordPage } from './record-page.ts'
import { recordingError } from './recording-error.ts'
import { maxFiles, type RecordingFile, type RecordingOptions, type RecordingSeries } from './recording-options.ts'
import { sortByTime } from './sort-by-time.ts'

type Wanted = (record: SourceRecord) => boolean

const historyPageRecords = 1_000
const knownAtOf = (record: SourceRecord): Instant => record.knownAt
const eventAtOf = (record: SourceRecord): Instant => record.eventAt

/**
 * A source that reads files: CSV (a header line, a time column, optional `known_at` and `subject` columns, the rest are values;
 * Binance's public candle files as they are), NDJSON with the same keys, both optionally gzipped, or Parquet with the same columns
 * or those of the archive. Files are streamed and merged, so their size does not matter. Gaps, duplicates and revisions are
 * delivered as they are. Candles and ticks without a value are left out and counted in the log. Any other row that is not a
 * record ends the stream with a `CrunchError` RECORDING_INVALID that names file and line.
 * `createRecordingSource` itself throws RECORDING_INVALID for no files, more than 100, or an unknown format, and a `RangeError` for
 * `lookAheadRows` out of range.
 * `stream` delivers one instant per batch and ends with the files; `describe` lists the series of the files.
 * @example createRecordingSource({ files: [{ path: 'BTCUSDT.csv.gz' }], series: { source: 'binance', subjects: ['BTCUSDT'], kind: 'candle', granularity: '1m' } })
 */
export function createRecordingSource(options: RecordingOptions): FeedSourceWithHistory {
  checkOptions(options)
  const logged = new Set<string>()
  return {
    async describe() {
      return Promise.all(options.files.map((file) => offerOf(file, file.series ?? options.series)))
    },
    async *stream(scopes, from, signal, onOpen) {
      checkScopes(options, scopes)
      onOpen?.()
      const after = new Map(
        scopes.map((scope) => [feedScopeKey(scope), from.get(feedScopeKey(scope)) ?? Number.NEGATIVE_INFINITY]),
      )
      const wanted = afterWatermark(after)
      yield* mergeByTime(openFiles(options, logged, { timeOf: knownAtOf, wanted }), knownAtOf, signal)
    },
    async *history(scope, from, to, signal) {
      checkScopes(options, [scope])
      const key = feedScopeKey(scope)
      const wanted: Wanted = (record) => record.eventAt >= from && record.eventAt < to && feedScopeKey(record) === key
      let page: SourceRecord[] = []
      for await (const batch of mergeByTime(
        openFiles(options, logged, { timeOf: eventAtOf, wanted }),
        eventAtOf,
        signal,
      )) {
        page.push(...batch)
        if (page.length < historyPageRecords) continue
        yield page
        page = []
      }
      if (page.length > 0 && !signal.aborted) yield page
    },
  }
}

function checkOptions(options: RecordingOptions): void {
  const { files, lookAheadRows = 10_000 } = options
  if (files.length === 0) throw new CrunchError('RECORDING_INVALID', 'the recording has no files. Name at least one.')
  if (files.length > maxFiles) {
    const problem = `the recording has ${files.length} files, more than ${maxFiles}`
    throw new CrunchError('RECORDING_INVALID', `${problem}. Join them, for instance one per subject and year.`)
  }
  if (!Number.isSafeInteger(lookAheadRows) || lookAheadRows < 0 || lookAheadRows > 1_000_000) {
    throw new RangeError(`lookAheadRows is ${lookAheadRows}; it must be a whole number from 0 to 1,000,000`)
  }
  for (const file of files) formatOf(file.path)
}

function checkScopes(options: RecordingOptions, scopes: readonly FeedScope[]): void {
  const known = new Set(
    options.files.flatMap((file) => seriesScopes(file.series ?? options.series).map((scope) => feedScopeKey(scope))),
  )
  const unknown = scopes.map(feedScopeKey).find((key) => !known.has(key))
  if (unknown === undefined) return
  const names = [...known].slice(0, 20).join(', ')
  throw new CrunchError('FEED_UNAVAILABLE', `no recording covers ${unknown}. The recorded series are ${names}.`)
}

function seriesScopes(series: RecordingSeries): FeedScope[] {
  const { source, kind, granularity } = series
  return series.subjects.map((subject) => ({ source, subject, kind, granularity }))
}

async function offerOf(file: RecordingFile, series: RecordingSeries): Promise<FeedOffer> {
  const { source, kind, granularity } = series
  const header = await formatOf(file.path).header(file.path)
  const subjects = header.includes(subjectColumn) ? series.subjects : [findSubject(file, series)]
  return { source, subjects, kind, granularities: [granularity] }
}

/** Caches scope keys by subject: computing a key per record would cost more than parsing the record. */
function afterWatermark(after: ReadonlyMap<string, Instant>): Wanted {
  let last: SourceRecord | undefined
  let lastAfter: Instant | undefined
  return (record) => {
    if (last === undefined || !isSameScope(last, record)) lastAfter = after.get(feedScopeKey(record))
    last = record
    return lastAfter !== undefined && record.knownAt > lastAfter
  }
}

function isSameScope(one: FeedScope, other: FeedScope): boolean {
  return (
    one.subject === other.subject &&
    one.source === other.source &&
    one.kind === other.kind &&
    one.granularity === other.granularity
  )
}

interface Reading {
  readonly timeOf: (record: SourceRecord) => Instant
  readonly wanted: Wanted
}

function openFiles(options: RecordingOptions, logged: Set<string>, { timeOf, wanted }: Reading) {
  const { lookAheadRows = 10_000, log = silentLog } = options
  return options.files.map((file) => {
    const { path } = file
    const pages = checkedPages(file, file.series ?? options.series, wanted, { log, logged })
    const onEnd = (outOfOrderCount: number): void => {
      if (outOfOrderCount === 0) return
      const reason = `${outOfOrderCount} rows came after later ones and were put into their places`
      log.warn('recording has rows out of order', { stage: 'feed', file: path, outOfOrderCount, reason })
    }
    return { path, pages: sortByTime(pages, { timeOf, lookAheadRows, onEnd }) }
  })
}

/** Skips series that were not requested, logs the number of rows that are not records, and throws when no record is left. */
async function* checkedPages(
  file: RecordingFile,
  series: RecordingSeries,
  wanted: Wanted,
  noteLog: NoteLog,
): AsyncGenerator<RecordPage> {
  const { path } = file
  const notes = newFileNotes()
  let [rowCount, leftOutCount] = [0, 0]
  let firstLeftOut: string | undefined
  for await (const page of formatOf(path).records(file, series, notes)) {
    const { leftOut, placeOf } = page
    logAssumedUtc(path, notes, noteLog)
    if (rowCount === 0) logLookAhead(path, series, { hasKnownAt: notes.hasKnownAt, firstPage: page }, noteLog)
    rowCount += page.records.length
    leftOutCount += leftOut.length
    if (leftOut[0] !== undefined) firstLeftOut ??= placeOf(leftOut[0])
    const records: SourceRecord[] = []
    const lines: number[] = []
    for (const [index, record] of page.records.entries()) {
      if (!wanted(record)) continue
      records.push(record)
      lines.push(page.lines[index] as number)
    }
    yield { records, lines, leftOut, placeOf }
  }
  if (firstLeftOut !== undefined) {
    const reason = `${leftOutCount} of ${rowCount + leftOutCount} rows have no value, the first at ${firstLeftOut}`
    noteLog.log.warn('rows without a value were left out', { stage: 'feed', file: path, leftOutCount, reason })
  }
  if (rowCount > 0) return
  const problem = leftOutCount === 0 ? 'contains no rows' : 'contains no complete row'
  throw recordingError(path, problem, 'Record it again, or omit it.')
}

function formatOf(path: string) {
  if (/\.(csv(\.gz)?|zip)$/i.test(path)) return { header: readCsvHeader, records: readCsvRecords }
  if (/\.(ndjson|jsonl)(\.gz)?$/i.test(path)) return { header: readNdjsonHeader, records: readNdjsonRecords }
  if (isArchiveFolder(path)) return { header: readArchiveHeader, records: readArchiveRecords }
  if (/\.parquet$/i.test(path)) return { header: readParquetHeader, records: readParquetRecords }
  if (/\.(feather|arrow)$/i.test(path)) {
    const [from, to] = [path, path.replace(/\.\w+$/, '.parquet')].map(shellWord)
    const convert = `python3 -c 'import sys, pandas; pandas.read_feather(sys.argv[1]).to_parquet(sys.argv[2])' ${from} ${to}`
    throw recordingError(path, 'is a Feather file, which is not read here', `Convert it to Parquet: ${convert}`)
  }
  const fix = 'Use a name that ends in .csv, .ndjson or .jsonl (plus .gz if gzipped), in .parquet or in .zip.'
  throw recordingError(path, 'has a name that does not show its format', fix)
}

function shellWord(text: string): string {
  return `'${text.replaceAll("'", "'\\''")}'`
}
