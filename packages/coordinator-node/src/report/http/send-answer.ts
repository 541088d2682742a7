import { createHash } from 'node:crypto'
import { promisify } from 'node:util'
import { gzip } from 'node:zlib'
import { isKnown, takesGzip } from './conditional.ts'
import type { RouteDefinition } from './define-route.ts'
import type { ReportRequest } from './serve-route.ts'

const compress = promisify(gzip)
/** Smaller bodies fit into one packet anyway. */
const minCompressedBytes = 1_400

export interface AnswerText {
  readonly text: string
  readonly type: string
}

/**
 * Sends the answer of a route. Reads have a weak ETag, and a client that has it already gets a 304. Caches keep nothing of an
 * owner's routes, and ask before they give anything else again.
 */
export async function sendAnswer(
  context: ReportRequest,
  { method, tier, status = 200 }: Pick<RouteDefinition, 'method' | 'tier' | 'status'>,
  { text, type }: AnswerText,
): Promise<Response> {
  const headers: Record<string, string> = { 'content-type': type }
  if (method !== 'get') return context.body(text, status, { ...headers, 'cache-control': 'no-store' })
  headers['cache-control'] = tier === 'owner' ? 'no-store' : 'public, no-cache'
  // What a request sees depends on its key.
  context.header('vary', 'Accept, Accept-Encoding, Authorization, X-API-Key', { append: true })
  const tag = `W/"${createHash('sha1').update(text).digest('base64url')}"`
  headers.etag = tag
  if (status === 200 && isKnown(context.req.header('if-none-match'), tag)) {
    return context.body(null, 304, { etag: tag, 'cache-control': headers['cache-control'] })
  }
  const isCompressed = text.length >= minCompressedBytes && takesGzip(context.req.header('accept-encoding'))
  if (!isCompressed) return context.body(text, status, headers)
  const body = await compress(text, { level: 4 })
  return context.body(new Uint8Array(body), status, { ...headers, 'content-encoding': 'gzip' })
}
