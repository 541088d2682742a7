import { FeedInterrupted } from '../../../ports/feed-source.ts'
import { explainFailure } from './explain-failure.ts'

export interface HttpRequest {
  readonly url: URL
  /** What errors name as the origin of the answer. Default: the URL without the query, which may contain a key. */
  readonly place?: string
  readonly headers?: Readonly<Record<string, string>>
  /** Aborts the request, which then rejects with the signal's reason. */
  readonly signal: AbortSignal
  /** Time limit of the whole answer, including its body. */
  readonly timeoutMs?: number
  /** Maximum size of the body. */
  readonly maxBytes?: number
}

export interface HttpAnswer {
  /** Where the answer comes from, for errors; without keys. */
  readonly place: string
  readonly status: number
  readonly headers: Headers
  readonly body: string
}

const defaultTimeoutMs = 10_000
const defaultMaxBytes = 16 * 1024 * 1024

/**
 * Requests a URL of a provider. Resolves for every status; the caller interprets it. Rejects with `FeedInterrupted` when
 * no answer arrives in time or it is too long.
 */
export async function getText(request: HttpRequest): Promise<HttpAnswer> {
  const { url, headers = {}, signal, timeoutMs = defaultTimeoutMs, maxBytes = defaultMaxBytes } = request
  const { place = `${url.origin}${url.pathname}` } = request
  signal.throwIfAborted()
  // AbortSignal.any would leak a few bytes per call on a signal that lives as long as the node.
  const ending = new AbortController()
  const end = () => ending.abort()
  let isLate = false
  const timer = setTimeout(() => {
    isLate = true
    end()
  }, timeoutMs)
  signal.addEventListener('abort', end, { once: true })
  try {
    const response = await fetch(withoutUser(url), {
      headers: { ...userHeader(url), ...headers },
      signal: ending.signal,
      redirect: 'follow',
    })
    const body = await readBody(response, maxBytes, place)
    return { place, status: response.status, headers: response.headers, body }
  } catch (error) {
    signal.throwIfAborted()
    if (error instanceof FeedInterrupted) throw error
    if (isLate)
      throw new FeedInterrupted(
        `${place} did not answer within ${timeoutMs / 1_000} s; it is slow, or a firewall drops the request`,
      )
    throw new FeedInterrupted(`${place} cannot be reached: ${explainFailure(error)}`, { cause: error })
  } finally {
    clearTimeout(timer)
    signal.removeEventListener('abort', end)
  }
}

/** A body as text; rejects with `FeedInterrupted` when it is longer than `maxBytes`. */
export async function readBody(response: Response, maxBytes: number, place: string): Promise<string> {
  const decoder = new TextDecoder()
  let text = ''
  let byteCount = 0
  // Leaving the `for await` loop cancels the body.
  for await (const chunk of response.body ?? []) {
    byteCount += chunk.byteLength
    if (byteCount > maxBytes) throw new FeedInterrupted(`${place} answered more than ${maxBytes} bytes`)
    text += decoder.decode(chunk, { stream: true })
  }
  return text + decoder.decode()
}

/** `fetch` refuses a URL with a user and a password, in an error that shows both. */
export function withoutUser(url: URL): URL {
  const plain = new URL(url)
  plain.username = ''
  plain.password = ''
  return plain
}

/** The header that carries the user and the password of a URL. */
export function userHeader({ username, password }: URL): { readonly authorization?: string } {
  if (username === '' && password === '') return {}
  const text = `${decodeURIComponent(username)}:${decodeURIComponent(password)}`
  return { authorization: `Basic ${Buffer.from(text).toString('base64')}` }
}
