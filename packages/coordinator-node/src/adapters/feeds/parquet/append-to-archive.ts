import { existsSync } from 'node:fs'
import { mkdir, open, rename } from 'node:fs/promises'
import { join } from 'node:path'
import { withDirectoryLock } from '@crunch/local-processes'
import type { FeedScope } from '../../../domain/feed-record.ts'
import { feedScopeKey } from '../../../domain/feed-record.ts'
import { groupBy } from '../../../domain/group-by.ts'
import type { Instant } from '../../../domain/time.ts'
import type { SourceRecord } from '../../../ports/feed-source.ts'
import { newFileNotes } from '../recording/file-notes.ts'
import { readParquetRecords } from '../recording/parquet-records.ts'
import { archiveFolder, utcDay } from '../recording/series-path.ts'
import { encodeArchive } from './archive-columns.ts'

/** How long to wait for the lock: longer than another process takes to write a page into the same series. */
const lockWaitMs = 60_000

/**
 * Adds records to an archive of Parquet files, one per series and UTC day. Records are final: the first version of a key
 * is kept. Each file is replaced atomically, so a crash leaves the old or the new one; everything is on disk when this
 * resolves. Resolves to the number of new records. Rejects with RECORDING_INVALID for a file that cannot be read, and
 * leaves it unchanged.
 */
export async function appendToArchive(directory: string, records: readonly SourceRecord[]): Promise<number> {
  let insertedCount = 0
  for (const series of groupBy(records, feedScopeKey).values()) {
    const folder = archiveFolder(directory, series[0] as SourceRecord)
    const lockFolder = join(folder, '.lock')
    await mkdir(lockFolder, { recursive: true })
    // Two writers that read, extend and write the same day concurrently would lose the records of the first.
    insertedCount += await withDirectoryLock(lockFolder, lockWaitMs, async () => {
      let count = 0
      for (const [day, added] of groupBy(series, ({ eventAt }) => utcDay(eventAt))) {
        count += await appendToDay(folder, day, added)
      }
      await syncFolder(folder)
      return count
    })
  }
  return insertedCount
}

async function appendToDay(folder: string, day: string, added: readonly SourceRecord[]): Promise<number> {
  const path = join(folder, `${day}.parquet`)
  const byTime = new Map<Instant, SourceRecord>()
  if (existsSync(path)) {
    for (const record of await readDay(path, added[0] as SourceRecord)) byTime.set(record.eventAt, record)
  }
  const standing = byTime.size
  for (const record of added) if (!byTime.has(record.eventAt)) byTime.set(record.eventAt, record)
  if (byTime.size === standing) return 0
  const sorted = [...byTime.values()].sort((one, other) => one.eventAt - other.eventAt)
  await replaceFile(folder, path, `.${day}.parquet.draft`, encodeArchive(sorted))
  return byTime.size - standing
}

async function readDay(path: string, scope: FeedScope): Promise<SourceRecord[]> {
  const { source, subject, kind, granularity } = scope
  const found: SourceRecord[] = []
  const series = { source, subjects: [subject], kind, granularity }
  for await (const { records } of readParquetRecords({ path }, series, newFileNotes())) found.push(...records)
  return found
}

async function replaceFile(folder: string, path: string, draftName: string, bytes: Uint8Array): Promise<void> {
  // We hold the lock of the folder, so the process that left this draft has died.
  const draft = join(folder, draftName)
  const file = await open(draft, 'w')
  try {
    await file.writeFile(bytes)
    await file.sync()
  } finally {
    await file.close()
  }
  await rename(draft, path)
}

/** Flushes a folder, so that renames survive a crash. Not possible on Windows. */
async function syncFolder(folder: string): Promise<void> {
  if (process.platform === 'win32') return
  const opened = await open(folder, 'r')
  try {
    await opened.sync()
  } finally {
    await opened.close()
  }
}
