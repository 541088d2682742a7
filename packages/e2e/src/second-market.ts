import { setTimeout } from 'node:timers/promises'
import {
  type FakeBinance,
  startFakeBinance,
} from '../../coordinator-node/src/adapters/feeds/binance/testing/start-fake-binance.ts'

const secondMs = 1_000
export const symbols = ['BTCUSDT', 'ETHUSDT']

/** A local exchange with one candle per second. */
export interface SecondMarket {
  readonly exchange: FakeBinance
  /** While closed, it refuses connections. Candles continue and are in its history afterwards. */
  isOpen: boolean
  /** Whether candles are produced. */
  isPublishing: boolean
  /** The open time of the newest candle. */
  readonly publishedAt: number
  close(): Promise<void>
}

/** Starts an exchange with ten minutes of history. */
export async function startSecondMarket(): Promise<SecondMarket> {
  const state = { isOpen: true, isPublishing: true, publishedAt: 0 }
  let isClosed = false
  const exchange = await startFakeBinance({ symbols, isAway: () => !state.isOpen })
  const now = Math.floor(Date.now() / secondMs) * secondMs
  for (let at = now - 600 * secondMs; at < now; at += secondMs) publishSecond(exchange, at)
  const publishing = (async () => {
    for (let at = now; !isClosed; at += secondMs) {
      await setTimeout(Math.max(0, at + secondMs - Date.now()))
      if (!state.isPublishing) continue
      publishSecond(exchange, at)
      state.publishedAt = at
    }
  })()
  return Object.assign(state, {
    exchange,
    async close() {
      isClosed = true
      await publishing
      await exchange.close()
    },
  })
}

/** The closing price of a symbol's candle that opens at an instant. */
export function closeAt(symbol: string, openAt: number): number {
  return (symbols.indexOf(symbol) + 1) * 1_000 + 10 * Math.sin(openAt / 30_000)
}

function publishSecond(exchange: FakeBinance, openAt: number): void {
  for (const symbol of symbols) {
    const close = closeAt(symbol, openAt)
    exchange.publishCandle({
      ...{ symbol, interval: '1s', openAt, closeAt: openAt + secondMs },
      ...{ open: close - 1, high: close + 1, low: close - 1, close, volume: 1 },
    })
  }
}
