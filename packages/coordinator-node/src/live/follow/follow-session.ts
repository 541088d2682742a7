import { setMaxListeners } from 'node:events'
import { createBoundedQueue } from '@crunch/local-processes'
import { feedScopeKey } from '../../domain/feed-record.ts'
import { groupBy } from '../../domain/group-by.ts'
import type { Instant } from '../../domain/time.ts'
import type { SourceRecord } from '../../ports/feed-source.ts'
import { fillUp, handOver } from './fill-series.ts'
import type { FollowedSeries } from './followed-series.ts'
import { repairSeries } from './repair-series.ts'
import type { Follower, Session } from './session.ts'
import type { Timing } from './timing.ts'

/** Maximum number of records that wait to be stored, and of records of one series that wait for its history. */
const outputRecords = 4_096
const waitingRecords = 4_096
const recordsOf = (records: readonly SourceRecord[]): number => records.length

/**
 * One connection to a source: opens its stream, fills each series from history up to the start of the stream, then delivers
 * new records and fills gaps between them. Ends or throws as the stream does. All buffers are bounded: a slow reader slows
 * the stream down, and a source that cannot wait ends its stream.
 */
export async function* followSession(
  follower: Follower,
  signal: AbortSignal,
  onNews: () => void,
): AsyncGenerator<readonly SourceRecord[], void, undefined> {
  const ending = new AbortController()
  const end = () => ending.abort()
  signal.addEventListener('abort', end, { once: true })
  if (signal.aborted) end()
  const output = createBoundedQueue<readonly SourceRecord[]>(outputRecords, recordsOf)
  const session: Session = {
    ...follower,
    emit: (records) => output.push(records),
    ending: ending.signal,
    historyAnswers: true,
  }
  const work = runSession(session, onNews).then(output.end, output.fail)
  try {
    yield* output.read()
  } finally {
    end()
    signal.removeEventListener('abort', end)
    await work
  }
}

async function runSession(session: Session, onNews: () => void): Promise<void> {
  const queues = new Map(
    session.series.map(({ scope }) => [
      feedScopeKey(scope),
      createBoundedQueue<readonly SourceRecord[]>(waitingRecords, recordsOf),
    ]),
  )
  let open = () => {}
  const opened = new Promise<void>((resolve) => {
    open = resolve
  })
  const closing = new AbortController()
  // Each series may add a listener; Node warns of a leak at more than ten.
  setMaxListeners(Number.POSITIVE_INFINITY, closing.signal)
  const close = () => {
    closing.abort()
    open()
    for (const queue of queues.values()) queue.end()
  }
  session.ending.addEventListener('abort', close, { once: true })
  const ended = { ...session, ending: closing.signal }
  let isConnected = false
  const connect = () => {
    isConnected = true
    open()
  }
  // Records that still wait for history at the end of the stream are read from history after the next connection.
  const streaming = readStream(ended, queues, connect, onNews).finally(close)
  const handing = session.series.map(async (series) => {
    const queue = queues.get(feedScopeKey(series.scope))
    series.heardAt = null
    await opened
    await fillUp(ended, series)
    hear(series, session.timing)
    for await (const records of queue?.read() ?? []) {
      if (!(await handOver(ended, series, records))) return
    }
  })
  const notifying = opened.then(() => (isConnected ? session.onConnected() : undefined))
  const repairing = opened.then(() => repairSeries(ended))
  let failure: { readonly error: unknown } | undefined
  const parts = [streaming, ...handing, notifying, repairing].map((part) =>
    part.catch((error: unknown) => {
      failure ??= { error }
      // Otherwise the stream would continue without a reader for one of its series.
      close()
    }),
  )
  await Promise.all(parts)
  session.ending.removeEventListener('abort', close)
  if (failure !== undefined && !session.ending.aborted) throw failure.error
}

async function readStream(
  { source, series, log, timing, ending }: Session,
  queues: ReadonlyMap<string, { push(records: readonly SourceRecord[]): Promise<boolean> }>,
  onOpen: () => void,
  onNews: () => void,
): Promise<void> {
  const from = new Map<string, Instant>()
  for (const { scope, progress, stepMs } of series) {
    const next = progress.next()
    if (next !== null) from.set(feedScopeKey(scope), stepMs === null ? next - 1 : next)
  }
  const scopes = series.map(({ scope }) => scope)
  const followed = new Map(series.map((one) => [feedScopeKey(one.scope), one]))
  const strangers = new Set<string>()
  for await (const batch of source.stream(scopes, from, ending, onOpen)) {
    onOpen()
    onNews()
    // The source is not silent, even though its records are rejected.
    if (batch.length === 0) for (const one of series) if (one.heardAt !== null) hear(one, timing)
    for (const [key, records] of groupBy(batch, feedScopeKey)) {
      const queue = queues.get(key)
      const known = followed.get(key)
      if (queue !== undefined && known !== undefined) {
        if (known.heardAt !== null) hear(known, timing)
        if (!(await queue.push(records))) return
      } else if (!strangers.has(key)) {
        strangers.add(key)
        log.warn('a source sends a series that was not requested; it is ignored', { stage: 'feed', scope: key })
      }
    }
  }
}

function hear(series: FollowedSeries, timing: Timing): void {
  series.heardAt = timing.now()
  series.quietLooks = 0
}
