import type { FeedScope } from '../../../../domain/feed-record.ts'
import type { FeedSource, SourceRecord } from '../../../../ports/feed-source.ts'

/** Reads a stream for a test, which waits for what it expects. */
export interface StreamReader {
  /** All that came so far. */
  readonly records: readonly SourceRecord[]
  readonly opened: Promise<void>
  /** When the stream has ended, or rejects with what it rejected with. */
  readonly ended: Promise<void>
  /** When so many records are there; rejects when the stream ends before. */
  until(count: number): Promise<readonly SourceRecord[]>
  /** When there is such a record. */
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
  // Whoever waits for it hears of it; in a test that does not, it is no one's.
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
