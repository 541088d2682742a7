import { createParser, type EventSourceMessage } from 'eventsource-parser'
import { CrunchError } from '../../../domain/errors.ts'
import { FeedInterrupted } from '../../../ports/feed-source.ts'
import { explainFailure } from './explain-failure.ts'
import { type HttpAnswer, readBody, userHeader, withoutUser } from './get-text.ts'
import { excerpt } from './read-answer.ts'

export interface EventStreamRequest {
  readonly url: URL
  readonly headers?: Readonly<Record<string, string>>
  /** Aborts the stream, which then rejects. */
  readonly signal: AbortSignal
  /** Explains an answer of this provider other than 200. */
  readonly refusal: (answer: HttpAnswer) => Error
  readonly onOpen?: () => void
  /** The longest time without a byte, before and within the answer. Time spent in the reader does not count. */
  readonly silenceMs?: number
  /** Largest event. */
  readonly maxEventCharacters?: number
}

const defaultSilenceMs = 45_000
const defaultMaxEventCharacters = 8 * 1024 * 1024
const maxRefusalBytes = 64 * 1024

/**
 * Server-sent events, in batches as they arrive, until the server ends the stream. A truncated event is dropped. Nothing is
 * read ahead, so a slow reader slows down the connection. Rejects with `FeedInterrupted` when the connection breaks, falls
 * silent, or carries something other than events.
 */
export async function* openEventStream(request: EventStreamRequest): AsyncGenerator<readonly EventSourceMessage[]> {
  const { url, headers, signal, silenceMs = defaultSilenceMs } = request
  const place = `${url.origin}${url.pathname}`
  const cut = new AbortController()
  const spoken = async <T>(pending: Promise<T>): Promise<T> => {
    const timer = setTimeout(
      () => cut.abort(new FeedInterrupted(`${place} was silent for ${silenceMs / 1_000} s`)),
      silenceMs,
    )
    try {
      return await pending
    } catch (error) {
      signal.throwIfAborted()
      cut.signal.throwIfAborted()
      if (error instanceof CrunchError) throw error
      throw new FeedInterrupted(`the connection to ${place} broke: ${explainFailure(error)}`, { cause: error })
    } finally {
      clearTimeout(timer)
    }
  }
  try {
    const response = await spoken(
      fetch(withoutUser(url), {
        headers: { ...userHeader(url), ...headers, accept: 'text/event-stream' },
        signal: AbortSignal.any([signal, cut.signal]),
      }),
    )
    await spoken(requireEvents(response, place, request))
    request.onOpen?.()
    const chunks = (response.body ?? new ReadableStream<Uint8Array>()).getReader()
    const parse = createEventReader(place, request.maxEventCharacters ?? defaultMaxEventCharacters)
    for (;;) {
      const { done, value } = await spoken(chunks.read())
      if (done) return
      const events = parse(value)
      if (events.length > 0) yield events
    }
  } finally {
    // Leaving the stream closes its connection.
    cut.abort()
  }
}

async function requireEvents(response: Response, place: string, request: EventStreamRequest): Promise<void> {
  const type = response.headers.get('content-type') ?? 'no content type'
  if (response.status === 200 && type.startsWith('text/event-stream')) return
  const body = await readBody(response, maxRefusalBytes, place)
  if (response.status !== 200) {
    throw request.refusal({ place, status: response.status, headers: response.headers, body })
  }
  throw new FeedInterrupted(`${place} answered ${type} instead of a stream of events, ${excerpt(body)}`)
}

/** Takes the bytes of a stream as they arrive and returns the events that they complete. */
function createEventReader(place: string, maxEventCharacters: number): (bytes: Uint8Array) => EventSourceMessage[] {
  const decoder = new TextDecoder()
  let events: EventSourceMessage[] = []
  let pendingCharacters = 0
  const parser = createParser({
    onEvent(event) {
      events.push(event)
      pendingCharacters = 0
    },
    onComment() {
      pendingCharacters = 0
    },
  })
  return (bytes) => {
    events = []
    const text = decoder.decode(bytes, { stream: true })
    pendingCharacters += text.length
    parser.feed(text)
    if (pendingCharacters <= maxEventCharacters) return events
    throw new FeedInterrupted(`${place} sent an event of more than ${maxEventCharacters} characters`)
  }
}
