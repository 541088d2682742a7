import type { FeedScope } from '../../../../domain/feed-record.ts'
import type { FeedSource, SourceRecord } from '../../../../ports/feed-source.ts'

/** Reads a stream in the background; the test waits for the records that it expects. */
export interface StreamReader {
  /** All records so far. */
  readonly records: readonly SourceRecord[]
  readonly opened: Promise<void>
  /** Settles as the stream does. */
  readonly ended: Promise<void>
  /** Resolves when there are this many records; rejects if the stream ends before. */
  until(count: number): Promise<readonly SourceRecord[]>
  /** Resolves when there is such a record. */
  untilSome(isWanted: (record: SourceRecord) => boolean): Promise<readonly SourceRecord[]>
  /** Aborts it. */
  stop(): Promise<void>
}

export function readStream(source: FeedSource, scopes: readonly FeedScope[]): StreamReader {
  const stop = new AbortController()
  const records: SourceRecord[] = []
  let check = () => {}
  let open = () => {}
  const opened = new Promise<void>((resolve) => {
    open = resolve
  })
  async function read(): Promise<void> {
    for await (const batch of source.stream(scopes, new Map(), stop.signal, open)) {
      records.push(...batch)
      check()
    }
  }
  const ended = read()
  // Tests that await `ended` see the rejection; in others it must not count as unhandled.
  ended.catch(() => {})
  function when(isReached: () => boolean): Promise<readonly SourceRecord[]> {
    const reached = new Promise<readonly SourceRecord[]>((resolve) => {
      check = () => isReached() && resolve(records)
      check()
    })
    const early = ended.then(() => {
      throw new Error(`the stream ended after ${records.length} records`)
    })
    return Promise.race([reached, early])
  }
  return {
    records,
    opened,
    ended,
    until: (count) => when(() => records.length >= count),
    untilSome: (isWanted) => when(() => records.some(isWanted)),
    stop() {
      stop.abort()
      return ended
    },
  }
}
