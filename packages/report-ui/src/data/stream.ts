import { signal } from '@preact/signals'
import { createParser } from 'eventsource-parser'
import { backOffMs } from './back-off.ts'
import { accessKey, failureOf, fetchWithKey } from './node.ts'

/**
 * The state of the connection to `/reports/stream`; `at` and `retryAt` are times of this machine in ms.
 * refused: the node answers, but not with a stream.
 */
export type StreamState =
  | { readonly kind: 'connecting' }
  | { readonly kind: 'open' }
  | { readonly kind: 'lost' | 'refused'; readonly since: number; readonly reason: string; readonly retryAt: number }

export const streamState = signal<StreamState>({ kind: 'connecting' })

/** When the node was last heard, in ms of this machine: events and heartbeats count. */
export const heardAt = signal<number | null>(null)

/** `reset`: events were missed, so everything has to be read again. */
export type Topic = 'leaderboard' | 'rounds' | 'predictions' | 'feeds' | 'checkpoints' | 'models' | 'reset'

type Listener = (topic: Topic, data: unknown) => void
const listeners = new Set<Listener>()

/** Calls the listener with every event; returns what removes it. */
export function onEvent(listener: Listener): () => void {
  listeners.add(listener)
  return () => listeners.delete(listener)
}

/** The node sends a heartbeat every 15 s. A connection that is silent for longer than two of them is taken for dead. */
const silenceMs = 35_000

/** A stream that lived shorter may end again at once, as behind a proxy that allows none. */
const shortMs = 5_000

/** The first answers can be older than the stream, which begins with what changes from then on: they are read once more. */
const afterOpeningMs = 2_000

/**
 * Keeps one stream open for the whole page. It uses fetch and not `EventSource`, which can send no key in a header and cannot say why
 * a connection failed.
 */
export async function followNode(signal: AbortSignal): Promise<void> {
  let lastId = ''
  let failures = 0
  while (!signal.aborted) {
    const { attempt, release } = openAttempt(signal)
    const startedAt = Date.now()
    const error = await readStream(lastId, attempt, (id) => {
      // Kept at once: a stream that is cut goes on from here.
      lastId = id
    }).then(
      () => null,
      (cause: unknown) => ({ cause }),
    )
    const isReplaced = attempt.signal.aborted && attempt.signal.reason !== 'silent'
    const isShort = Date.now() - startedAt < shortMs
    if (error === null || isReplaced) failures = 0
    else {
      failures = isShort ? failures + 1 : 1
      report(error.cause, failures)
      if (isRefusedId(error.cause)) lastId = ''
    }
    if (failures > 0 || isShort) await pause(backOffMs(failures), attempt.signal)
    release()
  }
}

/** An attempt is aborted by the signal, and by a new key, with which the next one begins at once. */
function openAttempt(signal: AbortSignal) {
  const attempt = new AbortController()
  const abort = (): void => attempt.abort()
  signal.addEventListener('abort', abort, { once: true })
  const stopWatching = accessKey.subscribe(ignoreFirst(abort))
  const release = (): void => {
    stopWatching()
    signal.removeEventListener('abort', abort)
  }
  return { attempt, release }
}

/** Reads until the node ends the stream. */
async function readStream(from: string, attempt: AbortController, heard: (id: string) => void): Promise<void> {
  const headers: Record<string, string> = {
    accept: 'text/event-stream',
    ...(from === '' ? {} : { 'last-event-id': from }),
  }
  const response = await fetchWithKey('/reports/stream', { headers, signal: attempt.signal, cache: 'no-store' })
  if (!response.ok || response.body === null) throw new Refusal(response.status, await problemText(response))
  if (from === '') setTimeout(() => publish('reset', null), afterOpeningMs)
  if (streamState.peek().kind !== 'open') streamState.value = { kind: 'open' }
  const parser = createParser({
    onEvent: ({ event, data, id }) => {
      if (id !== undefined) heard(id)
      if (event !== undefined && event !== 'end') publish(event as Topic, JSON.parse(data))
    },
  })
  const decoder = new TextDecoder()
  const reader = response.body.getReader()
  for (;;) {
    const silence = setTimeout(() => attempt.abort('silent'), silenceMs)
    const { done, value } = await reader.read().finally(() => clearTimeout(silence))
    if (done) return
    heardAt.value = Date.now()
    parser.feed(decoder.decode(value, { stream: true }))
  }
}

function publish(topic: Topic, data: unknown): void {
  for (const listener of listeners) listener(topic, data)
}

class Refusal extends Error {
  readonly status: number
  constructor(status: number, text: string) {
    super(text)
    this.status = status
  }
}

async function problemText(response: Response): Promise<string> {
  const body = (await response.json().catch(() => ({}))) as { readonly message?: string }
  return body.message ?? `The node answered ${response.status}.`
}

function isRefusedId(error: unknown): boolean {
  return error instanceof Refusal && error.status === 400
}

function report(error: unknown, failures: number): void {
  const before = streamState.peek()
  const kind = error instanceof Refusal && error.status < 500 ? 'refused' : 'lost'
  const since = 'since' in before ? before.since : Date.now()
  const reason = error === 'silent' ? 'Nothing was heard from the node.' : failureOf(error).text
  streamState.value = { kind, since, reason, retryAt: Date.now() + backOffMs(failures) }
}

/** Signals call a new subscriber at once with the value that is already known. */
function ignoreFirst(act: () => void): () => void {
  let isFirst = true
  return () => {
    if (!isFirst) act()
    isFirst = false
  }
}

function pause(ms: number, signal: AbortSignal): Promise<void> {
  if (signal.aborted) return Promise.resolve()
  return new Promise((resolve) => {
    const timer = setTimeout(done, ms)
    function done(): void {
      clearTimeout(timer)
      window.removeEventListener('online', done)
      signal.removeEventListener('abort', done)
      resolve()
    }
    window.addEventListener('online', done)
    signal.addEventListener('abort', done)
  })
}
