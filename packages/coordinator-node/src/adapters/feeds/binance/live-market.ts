import type { FeedScope } from '../../../domain/feed-record.ts'
import type { JsonObject } from '../../../domain/json/json.ts'
import type { SourceRecord } from '../../../ports/feed-source.ts'
import { createAlarm } from './alarm.ts'
import type { BinancePorts } from './binance-rest.ts'
import { readEarlierTrades } from './read-trade-history.ts'
import { planStreams } from './stream-plan.ts'

export interface MarketHandlers {
  onRecords(records: readonly SourceRecord[]): void
  onError(error: Error): void
}

/** All series of one connection, with one timer that checks them. */
export interface LiveMarket {
  /** The streams to subscribe to. */
  readonly names: readonly string[]
  receive(stream: string, data: JsonObject): void
  stop(): void
}

/** @param signal aborts the history requests of the series */
export function createLiveMarket(
  ports: BinancePorts,
  scopes: readonly FeedScope[],
  handlers: MarketHandlers,
  signal: AbortSignal,
): LiveMarket {
  const { options } = ports
  const { now, quietMs, maxPendingRecords, depthLevels } = options
  const plan = planStreams(scopes, {
    depthLevels,
    trades: (symbol) => ({
      quietMs,
      maxHeld: maxPendingRecords,
      earlierTrades: (first) => readEarlierTrades(ports, symbol, first, signal),
      onReady: lookAtAll,
      onError: handlers.onError,
    }),
  })
  const allSeries = new Set([...plan.seriesByName.values()].flat())
  const alarm = createAlarm(now, lookAtAll)

  function lookAtAll(): void {
    if (signal.aborted) return
    const at = now()
    for (const series of allSeries) {
      handlers.onRecords(series.take(at))
      alarm.by(series.dueAt())
    }
  }

  return {
    names: plan.names,
    receive(stream, data) {
      const at = now()
      // Streams that were not requested have no series.
      for (const series of plan.seriesByName.get(stream) ?? []) {
        handlers.onRecords(series.receive(data, at))
        alarm.by(series.dueAt())
      }
    },
    stop: alarm.stop,
  }
}
