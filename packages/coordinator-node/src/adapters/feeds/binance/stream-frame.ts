import type { JsonObject } from '../../../domain/json/json.ts'
import { jsonObject } from './parse-market-data.ts'

/** One parsed message of a connection. */
export type StreamFrame =
  | { readonly type: 'data'; readonly stream: string; readonly data: JsonObject }
  /** The subscriptions of the request with this number were accepted. */
  | { readonly type: 'taken'; readonly id: number }
  | { readonly type: 'refused'; readonly isFinal: boolean }
  /** The server will end the connection soon. */
  | { readonly type: 'shutdown' }

/** Codes of errors about a request for something that does not exist. */
const finalCodes: readonly unknown[] = [0, 1, 2, 3]

/** Throws a `TypeError` or `SyntaxError` for anything that is not a message of Binance. */
export function parseFrame(text: string): StreamFrame {
  const frame = jsonObject(JSON.parse(text), 'it')
  if (typeof frame.stream === 'string') {
    const data = jsonObject(frame.data, '"data"')
    return data.e === 'serverShutdown' ? { type: 'shutdown' } : { type: 'data', stream: frame.stream, data }
  }
  if (frame.e === 'serverShutdown') return { type: 'shutdown' }
  if (frame.error !== undefined || frame.code !== undefined) {
    const { code } = frame.error === undefined ? frame : jsonObject(frame.error, '"error"')
    return { type: 'refused', isFinal: finalCodes.includes(code) }
  }
  if (frame.result === null && typeof frame.id === 'number') return { type: 'taken', id: frame.id }
  throw new TypeError('it is neither stream data nor a response')
}
