import { open } from 'node:fs/promises'
import { feedScopeKey } from '../../domain/feed-record.ts'
import type { FeedStore, RecordCursor } from '../../ports/store-feed.ts'
import type { Timing } from '../follow/timing.ts'
import { type RecordedStretch, recordingRow, storedRecords } from './write-recording.ts'

export interface FollowedRecording {
  readonly store: Pick<FeedStore, 'recordsBehind' | 'feedStates'>
  readonly stretch: RecordedStretch
  readonly timing: Pick<Timing, 'wait'>
  readonly signal: AbortSignal
  /**
   * Called after each check with the number of records in the file, and of records that came too late for their place in it.
   */
  readonly onProgress: (count: number, lateCount: number) => void
}

const pollMs = 1_000

/**
 * Writes a time range as an NDJSON recording and continues with newly stored records until its end or until `signal`
 * aborts. Uncompressed, so that the file can be read at any time. Rejects if the file exists.
 */
export async function followRecording(path: string, recording: FollowedRecording): Promise<void> {
  const { store, stretch, timing, signal, onProgress } = recording
  const file = await open(path, 'wx')
  try {
    let cursor: RecordCursor | undefined
    let count = 0
    let known: { readonly stored: number; readonly written: number } | undefined
    while (!signal.aborted) {
      const stored = await storedCount(recording)
      for await (const page of storedRecords(store, stretch, cursor)) {
        await file.write(page.map(recordingRow).join(''))
        count += page.length
        cursor = page.at(-1)
      }
      // Baseline: records stored since then but not written came too late for their place in the file.
      known ??= { stored, written: count }
      onProgress(count, Math.max(0, stored - known.stored - (count - known.written)))
      if (cursor !== undefined && cursor.knownAt >= stretch.to) return
      await timing.wait(pollMs, signal)
    }
  } finally {
    await file.close()
  }
}

async function storedCount({ store, stretch }: FollowedRecording): Promise<number> {
  const key = feedScopeKey(stretch.scope)
  const state = (await store.feedStates()).find(({ scope }) => feedScopeKey(scope) === key)
  return state?.recordCount ?? 0
}
