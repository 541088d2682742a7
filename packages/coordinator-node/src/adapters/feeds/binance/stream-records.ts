import { createBoundedQueue } from '@crunch/local-processes'
import type { FeedScope } from '../../../domain/feed-record.ts'
import { FeedInterrupted, type SourceRecord } from '../../../ports/feed-source.ts'
import type { BinancePorts } from './binance-rest.ts'
import { createLiveMarket } from './live-market.ts'
import { openStreamConnection } from './stream-connection.ts'

/** The records of all scopes over one connection, from its opening to its end. */
export async function* streamRecords(
  ports: BinancePorts,
  scopes: readonly FeedScope[],
  signal: AbortSignal,
  onOpen: () => void = () => {},
): AsyncGenerator<readonly SourceRecord[]> {
  const over = new AbortController()
  let open = () => {}
  const limit = ports.options.maxPendingRecords
  const queue = createBoundedQueue<readonly SourceRecord[]>(limit, (records) => records.length)
  const opened = new Promise<void>((resolve) => {
    open = resolve
  })
  function end(error?: Error): void {
    if (error === undefined) queue.end()
    else queue.fail(error)
    over.abort()
    open()
  }
  function add(records: readonly SourceRecord[]): void {
    if (over.signal.aborted || records.length === 0 || queue.offer(records)) return
    const problem = `the stream of Binance was given up: its reader is too slow, ${limit} records were waiting`
    end(new FeedInterrupted(`${problem}; reconnecting`))
  }
  const handlers = { onRecords: add, onError: end }
  const market = createLiveMarket(ports, scopes, handlers, over.signal)
  if (signal.aborted) return
  const connection = openStreamConnection(ports.options, market.names, {
    onOpen() {
      onOpen()
      open()
    },
    onMessage: market.receive,
    onEnd: end,
  })
  over.signal.addEventListener('abort', () => {
    market.stop()
    connection.close()
  })
  signal.addEventListener('abort', () => end(), { signal: over.signal })
  try {
    await opened
    while (!signal.aborted) {
      const batches = await queue.take()
      if (batches === null || signal.aborted) return
      yield batches.flat()
    }
  } finally {
    end()
  }
}
