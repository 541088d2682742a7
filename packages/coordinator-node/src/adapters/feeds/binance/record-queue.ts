import { FeedInterrupted, type SourceRecord } from '../../../ports/feed-source.ts'

/** Between a connection, which pushes, and the reader of a stream, who takes all that there is at a time. */
export interface RecordQueue {
  push(records: readonly SourceRecord[]): void
  /** Until then nothing can be taken. */
  open(): void
  /** No more records will come. A reader gets the error after the remaining ones. */
  end(error?: Error): void
  /** What was pushed and not taken yet; waits until there is something. `null` at the end. */
  take(): Promise<readonly SourceRecord[] | null>
}

/** @param onEnd called once, also when a slow reader has let more than `limit` records wait, which ends it with an error */
export function createRecordQueue(limit: number, onEnd: () => void): RecordQueue {
  let waiting: SourceRecord[] = []
  let isOpen = false
  let ended: { readonly error: Error | undefined } | null = null
  let wake: () => void = () => {}

  function end(error?: Error): void {
    if (ended !== null) return
    ended = { error }
    wake()
    onEnd()
  }

  return {
    push(records) {
      if (ended !== null || records.length === 0) return
      if (waiting.length + records.length > limit) {
        const problem = `the stream of Binance was given up: its reader is too slow, ${limit} records were waiting`
        end(new FeedInterrupted(`${problem}; reconnecting`))
        return
      }
      waiting.push(...records)
      wake()
    },
    open() {
      isOpen = true
      wake()
    },
    end,
    async take() {
      while (ended === null && (!isOpen || waiting.length === 0)) {
        await new Promise<void>((resolve) => {
          wake = resolve
        })
      }
      if (waiting.length > 0) {
        const taken = waiting
        waiting = []
        return taken
      }
      if (ended?.error !== undefined) throw ended.error
      return null
    },
  }
}
