import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Instant } from '../../../domain/time.ts'
import { silentLog } from '../../../ports/log.ts'
import { type LocalServer, startLocalServer } from '../http/local-server.testkit.ts'
import { createPythSource, type PythOptions } from './create-pyth-source.ts'

export const btcId = 'e62df6c8b4a85fe1a67db44dc12de5db330f7ac66b72dc658afedf0f4a415b43'
export const ethId = 'ff61491a931112ddf1bd8147cd1b641375f79f5825126d665480874634fd0ace'
const wbtcId = 'c9d8b075a5c69303365ae23633d4e085199bf5c520a3b90fed1322a0342ffc33'

const feed = (id: string, symbol: string, display: string) => ({
  id,
  attributes: { asset_type: symbol.split('.')[0], symbol, display_symbol: display, quote_currency: 'USD' },
})

/** The answer of `/v2/price_feeds`; two of these feeds share a short name. */
export const priceFeeds = [
  feed(btcId, 'Crypto.BTC/USD', 'BTC/USD'),
  feed(ethId, 'Crypto.ETH/USD', 'ETH/USD'),
  feed(wbtcId, 'Crypto.WBTC/USD', 'SAME/USD'),
  feed(wbtcId.replace('c9', 'd9'), 'Equity.US.WBTC/USD', 'SAME/USD'),
]

/** A price as Hermes sends it; `previous` is the second of the previous price. */
export function hermesPrice(id: string, second: number, price: string, previous = second - 1, expo = -8) {
  const scaled = { price, conf: '3268548079', expo, publish_time: second }
  return {
    id,
    price: scaled,
    ema_price: { ...scaled, price: '6130098800000', conf: '3587162000' },
    metadata: { slot: 138886134, proof_available_time: second + 2, prev_publish_time: previous },
  }
}

/** One event of the price stream. */
export function hermesEvent(...parsed: object[]): string {
  return `data:${JSON.stringify({ binary: { encoding: 'hex', data: ['504e4155'] }, parsed })}\n\n`
}

type Answer = (request: IncomingMessage, response: ServerResponse, url: URL) => void

export interface PythRoutes {
  readonly feeds?: Answer
  readonly stream?: Answer
  /** Answers point-in-time requests. */
  readonly price?: Answer
  readonly candles?: Answer
}

/** The same answer for every request. */
export const answer =
  (status: number, body: string, headers: Record<string, string> = {}): Answer =>
  (_request, response) => {
    response.writeHead(status, headers).end(body)
  }

/** Sends the pieces of an event stream in turn, then calls `end`; by default the stream stays open. */
export const events =
  (pieces: readonly string[], end: (response: ServerResponse) => void = () => {}): Answer =>
  (_request, response) => {
    response.writeHead(200, { 'content-type': 'text/event-stream' })
    response.flushHeaders()
    const send = (index: number): void => {
      const piece = pieces[index]
      if (piece === undefined) end(response)
      else response.write(piece, () => setImmediate(send, index + 1))
    }
    send(0)
  }

/** A local Pyth server, and a source that reads it. */
export async function openPyth(routes: PythRoutes, more: Partial<PythOptions> = {}) {
  const requests: IncomingMessage[] = []
  const server: LocalServer = await startLocalServer((request, response) => {
    requests.push(request)
    const url = new URL(request.url ?? '', 'http://localhost')
    const missing = answer(404, 'Not Found')
    const { feeds = answer(200, JSON.stringify(priceFeeds)), stream, price, candles } = routes
    const route = {
      '/hermes/v2/price_feeds': feeds,
      '/hermes/v2/updates/price/stream': stream,
      '/v1/fixed_rate@200ms/history': candles,
    }[url.pathname]
    const chosen = url.pathname.startsWith('/hermes/v2/updates/price/') ? (route ?? price) : route
    ;(chosen ?? missing)(request, response, url)
  })
  const source = createPythSource({
    url: `${server.url}/hermes`,
    historyUrl: `${server.url}/v1/`,
    apiKey: 'k',
    requestsPer10Seconds: 10_000,
    log: silentLog,
    ...more,
  })
  return { source, server, requests }
}

export const seconds = (at: Instant): number => at / 1_000
