import { FeedInterrupted, type SourceRecord } from '../../../ports/feed-source.ts'

/** Between a connection, which pushes, and the reader of a stream, who takes all that there is at a time. */
export interface RecordQueue {
  push(records: readonly SourceRecord[]): void
  /** Nothing more will come; with an error, whoever takes the rest gets it afterwards. */
  end(error?: Error): void
  /** All that was pushed since; waits for the next ones. `null` at the end. */
  take(): Promise<readonly SourceRecord[] | null>
}

/** @param onOverflow told once when a slow reader has let more than `limit` records wait; the queue has then ended */
export function createRecordQueue(limit: number, onOverflow: () => void): RecordQueue {
  let waiting: SourceRecord[] = []
  let ended: { readonly error: Error | undefined } | undefined
  let wake: (() => void) | undefined

  function end(error?: Error): void {
    ended ??= { error }
    wake?.()
  }

  return {
    push(records) {
      if (ended !== undefined || records.length === 0) return
      if (waiting.length + records.length > limit) {
        const problem = `the stream of Binance was given up: ${limit} records were waiting for a reader that is too slow`
        end(new FeedInterrupted(`${problem}; what it missed comes from the history`))
        onOverflow()
        return
      }
      waiting.push(...records)
      wake?.()
    },
    end,
    async take() {
      while (waiting.length === 0 && ended === undefined) {
        await new Promise<void>((resolve) => {
          wake = resolve
        })
      }
      if (waiting.length === 0) {
        if (ended?.error !== undefined) throw ended.error
        return null
      }
      const taken = waiting
      waiting = []
      return taken
    },
  }
}
