import { readdir } from 'node:fs/promises'
import { basename, join } from 'node:path'
import { parseDuration } from '../../../domain/time.ts'
import type { FileNotes } from './file-notes.ts'
import { readParquetHeader, readParquetRecords } from './parquet-records.ts'
import { readError } from './read-bytes.ts'
import type { RecordPage } from './record-page.ts'
import { recordingError } from './recording-error.ts'
import type { RecordingFile, RecordingSeries } from './recording-options.ts'

const dayFile = /^\d{4}-\d{2}-\d{2}\.parquet$/

/** Whether a path is a series of the archive: a folder named after its granularity, with one file per day. */
export function isArchiveFolder(path: string): boolean {
  return parseDuration(basename(path)) !== undefined
}

/** The day files of a series, oldest first. */
export async function archiveDays(folder: string): Promise<readonly string[]> {
  const names = await readdir(folder).catch((error: NodeJS.ErrnoException) => {
    if (error.code !== 'ENOENT' && error.code !== 'ENOTDIR') throw readError(folder, error)
    const fix = 'Name a folder of the archive: its granularity with day files in it.'
    throw recordingError(folder, 'there is no such folder', fix, error)
  })
  const shown = names.filter((name) => !name.startsWith('.')).sort()
  const odd = shown.find((name) => !dayFile.test(name))
  if (odd !== undefined) {
    throw recordingError(join(folder, odd), 'is not a day of the archive', 'Move it out of this folder.')
  }
  if (shown.length === 0) throw recordingError(folder, 'holds no day', 'Backfill it, or omit it.')
  return shown.map((name) => join(folder, name))
}

/** The records of all days, file after file; only one file is open at a time. */
export async function* readArchiveRecords(
  file: RecordingFile,
  series: RecordingSeries,
  notes: FileNotes,
): AsyncGenerator<RecordPage> {
  for (const path of await archiveDays(file.path)) yield* readParquetRecords({ ...file, path }, series, notes)
}

export async function readArchiveHeader(folder: string): Promise<readonly string[]> {
  const [first = folder] = await archiveDays(folder)
  return readParquetHeader(first)
}
