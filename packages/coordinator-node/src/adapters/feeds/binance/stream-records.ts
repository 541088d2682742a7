import type { FeedScope } from '../../../domain/feed-record.ts'
import type { SourceRecord } from '../../../ports/feed-source.ts'
import type { BinancePorts } from './binance-rest.ts'
import { createLiveMarket } from './live-market.ts'
import { createRecordQueue } from './record-queue.ts'
import { openStreamConnection } from './stream-connection.ts'

/** The records of all scopes over one connection, from its opening until it ends. */
export async function* streamRecords(
  ports: BinancePorts,
  scopes: readonly FeedScope[],
  signal: AbortSignal,
  onOpen: () => void = () => {},
): AsyncGenerator<readonly SourceRecord[]> {
  const over = new AbortController()
  const queue = createRecordQueue(ports.options.maxPendingRecords, () => over.abort())
  const handlers = { onRecords: queue.push, onError: queue.end }
  const market = createLiveMarket(ports, scopes, handlers, over.signal)
  if (signal.aborted) return
  const connection = openStreamConnection(ports.options, market.names, {
    onOpen() {
      onOpen()
      queue.open()
    },
    onMessage: market.receive,
    onEnd: queue.end,
  })
  over.signal.addEventListener('abort', () => {
    market.stop()
    connection.close()
  })
  signal.addEventListener('abort', () => queue.end(), { signal: over.signal })
  try {
    while (!signal.aborted) {
      const records = await queue.take()
      if (records === null || signal.aborted) return
      yield records
    }
  } finally {
    queue.end()
  }
}
