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

/** An answer as it is sent, as often as it is asked for. */
export interface RenderedAnswer {
  readonly type: string
  readonly bytes: Uint8Array<ArrayBuffer>
  /** Its weak ETag. */
  readonly tag: string
  /** Compressed with gzip, once. */
  zipped(): Promise<Uint8Array<ArrayBuffer>>
}

const encoder = new TextEncoder()

export function renderedAnswer({ text, type }: AnswerText): RenderedAnswer {
  const bytes = encoder.encode(text)
  const tag = `W/"${createHash('sha1').update(bytes).digest('base64url')}"`
  let zipping: Promise<Uint8Array<ArrayBuffer>> | undefined
  const zipped = () => {
    zipping ??= compress(bytes, { level: 4 }).then((body) => new Uint8Array(body))
    return zipping
  }
  return { type, bytes, tag, zipped }
}

/**
 * Sends the answer of a route. Reads have a weak ETag, and a client that has it already gets a 304. Caches keep nothing of an
 * owner's routes, and ask before they give anything else again.
 */
export async function sendAnswer(
  context: ReportRequest,
  { method, tier, status = 200 }: Pick<RouteDefinition, 'method' | 'tier' | 'status'>,
  answer: RenderedAnswer,
): Promise<Response> {
  const { type, bytes, tag } = answer
  const headers: Record<string, string> = { 'content-type': type }
  if (method !== 'get') return context.body(bytes, status, { ...headers, 'cache-control': 'no-store' })
  headers['cache-control'] = tier === 'owner' ? 'no-store' : 'public, no-cache'
  // What a request sees depends on its key.
  context.header('vary', 'Accept, Accept-Encoding, Authorization, X-API-Key', { append: true })
  headers.etag = tag
  if (status === 200 && isKnown(context.req.header('if-none-match'), tag)) {
    return context.body(null, 304, { etag: tag, 'cache-control': headers['cache-control'] })
  }
  const isCompressed = bytes.length >= minCompressedBytes && takesGzip(context.req.header('accept-encoding'))
  if (!isCompressed) return context.body(bytes, status, headers)
  return context.body(await answer.zipped(), status, { ...headers, 'content-encoding': 'gzip' })
}
