import type { Instant } from '../../domain/time.ts'
import type { Log } from '../../ports/log.ts'
import type { Viewer } from '../access/viewer.ts'
import { zonedTime } from '../rows/row-fields.ts'
import type { Position } from './event-ids.ts'
import type { LiveHub } from './live-hub.ts'
import type { StreamLimits } from './live-source.ts'
import { dataText, eventBytes } from './publish-news.ts'
import type { Topic } from './topics.ts'

export interface StreamOptions {
  readonly hub: LiveHub
  readonly viewer: Viewer
  readonly topics: readonly Topic[]
  /** Where the client stopped; absent: it starts now. */
  readonly resumeFrom?: Position | undefined
  readonly limits: StreamLimits
  readonly stopping: AbortSignal | undefined
  readonly log: Log
  readonly requestId: string
  /** The client, as limits count it. */
  readonly counted: string | null
  /** Closes the connection of a client that does not read. */
  readonly cut: () => void
}

const encoder = new TextEncoder()

/**
 * One client's stream. It keeps no events of its own, only a place in the hub's ring: a client that is overtaken by the ring, and
 * one whose time is over, gets a last event with the reason, or, if it does not read that either, is cut.
 */
export function openStream(options: StreamOptions): ReadableStream<Uint8Array> {
  const { viewer, limits, stopping, log, requestId } = options
  const { ring, ids, listeners } = options.hub
  const { seq: from, reset } = startOf(options)
  let seq = from
  const opening = openingOf(ids.of(seq), reset)
  let ending: string | null = null
  let isBeatDue = false
  let isOver = false
  let wakeReader = (): void => undefined

  const listener = {
    counted: options.counted,
    wake() {
      if (!ring.reaches(seq)) end('too slow: newer events took the place of those that it had not read')
      wakeReader()
    },
  }
  const beat = setInterval(() => {
    isBeatDue = true
    wakeReader()
  }, limits.heartbeatMs).unref()
  const lifetime = setTimeout(() => end('its time is over: ask again'), limits.lifetimeMs).unref()
  const stop = (): void => end('the node stops')
  let cutting: NodeJS.Timeout | undefined
  listeners.add(listener)
  stopping?.addEventListener('abort', stop)
  if (stopping?.aborted === true) stop()

  function end(reason: string): void {
    if (ending !== null) return
    ending = reason
    leave()
    log.info('stream ended by the node', { stage: 'report', request_id: requestId, reason })
    cutting = setTimeout(options.cut, limits.heartbeatMs).unref()
    wakeReader()
  }

  function leave(): void {
    listeners.delete(listener)
    stopping?.removeEventListener('abort', stop)
    clearInterval(beat)
    clearTimeout(lifetime)
  }

  /** The next bytes; `null` at the end. */
  async function next(): Promise<Uint8Array | null> {
    for (;;) {
      if (opening.length > 0 || isOver) return opening.shift() ?? null
      if (ending !== null) {
        isOver = true
        return eventBytes(ids.of(seq), 'end', dataText({ reason: ending }))
      }
      const event = ring.after(seq)
      if (event !== undefined) {
        seq = event.seq
        if (event.topic === 'reset' || options.topics.includes(event.topic)) return event.bytesFor(viewer)
      } else if (isBeatDue) {
        isBeatDue = false
        return encoder.encode(`: alive\nid: ${ids.of(seq)}\n\n`)
      } else await new Promise<void>((resolve) => (wakeReader = resolve))
    }
  }

  return streamOf(next, () => {
    leave()
    clearTimeout(cutting)
    wakeReader()
  })
}

function streamOf(next: () => Promise<Uint8Array | null>, close: () => void): ReadableStream<Uint8Array> {
  return new ReadableStream<Uint8Array>(
    {
      async pull(controller) {
        const bytes = await next()
        if (bytes !== null) return controller.enqueue(bytes)
        close()
        controller.close()
      },
      cancel: close,
    },
    // Bytes are made when the connection takes them.
    { highWaterMark: 0 },
  )
}

function openingOf(id: string, reset: Start['reset']): Uint8Array[] {
  // The id without data is where a client resumes that is cut before its first event.
  const first = encoder.encode(`retry: 2000\nid: ${id}\n\n`)
  return reset === null ? [first] : [first, eventBytes(id, 'reset', dataText(reset))]
}

interface Start {
  readonly seq: number
  readonly reset: { readonly reason: string; readonly since: string } | null
}

function startOf({ hub: { ring }, resumeFrom }: StreamOptions): Start {
  if (resumeFrom === undefined) return { seq: ring.newest(), reset: null }
  if (resumeFrom.seq !== null && ring.reaches(resumeFrom.seq)) return { seq: resumeFrom.seq, reset: null }
  const reason =
    resumeFrom.seq === null
      ? 'the node was restarted, or this is another one'
      : 'the events since then are no longer kept'
  return { seq: ring.newest(), reset: { reason, since: zonedTime(resumeFrom.at as Instant) } }
}
