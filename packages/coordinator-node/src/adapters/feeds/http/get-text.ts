import { FeedInterrupted } from '../../../ports/feed-source.ts'

export interface HttpRequest {
  readonly url: URL
  readonly headers?: Readonly<Record<string, string>>
  /** Ends the request; it then rejects with the signal's reason. */
  readonly signal: AbortSignal
  /** For the whole answer, its body included. */
  readonly timeoutMs?: number
  /** Largest body. */
  readonly maxBytes?: number
}

export interface HttpAnswer {
  /** Without the query, which may hold a key. */
  readonly place: string
  readonly status: number
  readonly headers: Headers
  readonly body: string
}

const defaultTimeoutMs = 10_000
const defaultMaxBytes = 16 * 1024 * 1024

/**
 * Asks a provider. Every status is an answer; the caller knows what it means. Rejects with `FeedInterrupted` when none
 * comes in time, or one that is too long.
 */
export async function getText(request: HttpRequest): Promise<HttpAnswer> {
  const { url, headers = {}, signal, timeoutMs = defaultTimeoutMs, maxBytes = defaultMaxBytes } = request
  const place = `${url.origin}${url.pathname}`
  signal.throwIfAborted()
  // AbortSignal.any leaves a few bytes a call behind on a signal that lives as long as the node.
  const ending = new AbortController()
  const end = () => ending.abort()
  let isLate = false
  const timer = setTimeout(() => {
    isLate = true
    end()
  }, timeoutMs)
  signal.addEventListener('abort', end, { once: true })
  try {
    const response = await fetch(url, { headers, signal: ending.signal, redirect: 'follow' })
    const body = await readBody(response, maxBytes, place)
    return { place, status: response.status, headers: response.headers, body }
  } catch (error) {
    signal.throwIfAborted()
    if (error instanceof FeedInterrupted) throw error
    if (isLate) throw new FeedInterrupted(`${place} did not answer within ${timeoutMs / 1_000} s`)
    throw new FeedInterrupted(`${place} cannot be reached: ${causeOf(error)}`, { cause: error })
  } finally {
    clearTimeout(timer)
    signal.removeEventListener('abort', end)
  }
}

/** A body as text; rejects with `FeedInterrupted` when it is longer than that. */
export async function readBody(response: Response, maxBytes: number, place: string): Promise<string> {
  const decoder = new TextDecoder()
  let text = ''
  let byteCount = 0
  // `for await` cancels the body when it is left.
  for await (const chunk of response.body ?? []) {
    byteCount += chunk.byteLength
    if (byteCount > maxBytes) throw new FeedInterrupted(`${place} answered more than ${maxBytes} bytes`)
    text += decoder.decode(chunk, { stream: true })
  }
  return text + decoder.decode()
}

/** `fetch failed` says nothing; what lies behind it does. */
export function causeOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error)
  const { cause } = error
  if (!(cause instanceof Error)) return error.message
  // Both addresses of a name were tried.
  if (cause instanceof AggregateError) return cause.errors.map(causeOf).join(', ')
  return cause.message
}
