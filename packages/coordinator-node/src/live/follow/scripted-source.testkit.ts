import { feedScopeKey } from '../../domain/feed-record.ts'
import { FeedInterrupted, type FeedSource, type SourceRecord } from '../../ports/feed-source.ts'

export interface Script {
  /** All records, in the order in which they became known. */
  readonly records: readonly SourceRecord[]
  /** For each connection, the number of records it streams from where the last one stopped, and how it ends. The last one stays open. */
  readonly connections: readonly { readonly count: number; readonly lost?: number; readonly end?: Error }[]
  /** Called for every history request; may throw or omit records. Absent: the source has no history. */
  readonly history?: (found: readonly SourceRecord[]) => readonly SourceRecord[]
}

/** A source with scripted connections. The last connection stays open. */
export function createScriptedSource({ records, connections, history }: Script) {
  let position = 0
  let connectionCount = 0
  const source: FeedSource = {
    describe: async () => [
      { source: 'binance', subjects: ['BTCUSDT', 'ETHUSDT'], kind: 'candle', granularities: ['1m'] },
      { source: 'binance', subjects: ['BTCUSDT'], kind: 'tick', granularities: 'any' },
    ],
    async *stream(scopes, _from, signal, onOpen) {
      const script = connections[connectionCount] ?? { count: records.length }
      connectionCount += 1
      // Records that became known between connections.
      position += script.lost ?? 0
      onOpen?.()
      const keys = new Set(scopes.map(feedScopeKey))
      for (let left = script.count; left > 0 && position < records.length && !signal.aborted; left -= 1) {
        const record = records[position] as SourceRecord
        position += 1
        if (keys.has(feedScopeKey(record))) yield [record]
      }
      if (script.end !== undefined) throw script.end
      if (position < records.length || signal.aborted) return
      await new Promise<void>((resolve) => signal.addEventListener('abort', () => resolve(), { once: true }))
    },
  }
  async function* answer(scope: Parameters<NonNullable<FeedSource['history']>>[0], from: number, to: number) {
    const known = records.slice(0, position).filter((record) => feedScopeKey(record) === feedScopeKey(scope))
    const newest = known.at(-1)
    // As with trades of one millisecond, the newest record may be incomplete: history has it once a newer one exists or the stream has ended.
    const isSettled = scope.kind === 'candle' || position >= records.length
    const settled = isSettled ? known : known.filter((record) => record !== newest)
    const found = settled.filter((record) => record.eventAt >= from && record.eventAt < to)
    const given = history?.(found) ?? []
    if (given.length > 0) yield given
  }
  return {
    source: history === undefined ? source : { ...source, history: answer },
    connectionCount: () => connectionCount,
  }
}

export const cut = (message = 'cut') => new FeedInterrupted(message)
