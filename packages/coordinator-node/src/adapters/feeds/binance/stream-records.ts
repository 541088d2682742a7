import type { FeedScope } from '../../../domain/feed-record.ts'
import type { SourceRecord } from '../../../ports/feed-source.ts'
import type { ResolvedBinanceOptions } from './binance-options.ts'
import { createRecordQueue } from './record-queue.ts'
import { openStreamConnection } from './stream-connection.ts'
import { planStreams } from './stream-plan.ts'

/** The records of all scopes over one connection, from when it stands until it ends. */
export async function* streamRecords(
  options: ResolvedBinanceOptions,
  scopes: readonly FeedScope[],
  signal: AbortSignal,
  onOpen: () => void = () => {},
): AsyncGenerator<readonly SourceRecord[]> {
  const { names, seriesByName } = planStreams(scopes)
  if (signal.aborted) return
  const queue = createRecordQueue(options.maxPendingRecords, () => connection.close())
  let opened: () => void = () => {}
  const opening = new Promise<void>((resolve) => {
    opened = resolve
  })
  const end = (error?: Error) => {
    queue.end(error)
    opened()
  }
  const abort = () => end()
  signal.addEventListener('abort', abort, { once: true })
  const connection = openStreamConnection(options, names, {
    onOpen() {
      onOpen()
      opened()
    },
    onMessage(stream, data) {
      const now = options.now()
      for (const series of seriesByName.get(stream) ?? []) queue.push(series.receive(data, now))
    },
    onEnd: end,
  })
  try {
    await opening
    while (!signal.aborted) {
      const records = await queue.take()
      if (records === null || signal.aborted) return
      yield records
    }
  } finally {
    signal.removeEventListener('abort', abort)
    connection.close()
  }
}
