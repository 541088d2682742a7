import type { Change } from '../../ports/store-workers.ts'
import type { ReportContext } from '../report-context.ts'
import { zonedTime } from '../rows/row-fields.ts'
import { createChangeQueue } from './change-queue.ts'
import { createEventIds, type EventIds } from './event-ids.ts'
import { createEventRing, type EventRing } from './event-ring.ts'
import type { LiveSource, StreamLimits } from './live-source.ts'
import { createPublisher } from './publish-news.ts'
import { createChangeReader, listTopics } from './read-changes.ts'

/** Rounds that a catch-up reads. Older ones are left to the client, which a reset tells to read again. */
const caughtUpRounds = 100

/** A client of the hub. */
export interface Listener {
  /** By whom it is counted. */
  readonly counted: string | null
  /** There may be something to read from the ring. */
  wake(): void
}

export interface LiveHub {
  readonly ring: EventRing
  readonly ids: EventIds
  readonly listeners: Set<Listener>
  /** Starts to hear changes, once. Rejects when the store cannot be heard; the next call tries again. */
  start(): Promise<void>
}

/** Hears changes of the store once for the process, reads each once, and keeps the events for all clients. */
export function createLiveHub(report: ReportContext, source: LiveSource, limits: StreamLimits): LiveHub {
  const ring = createEventRing(limits)
  const ids = createEventIds(() => report.clock.now())
  const listeners = new Set<Listener>()
  const addNews = createPublisher(ring, ids)
  const reader = createChangeReader(report)
  let started: Promise<void> | undefined
  let currentAt = report.clock.now()

  async function handle(change: Change, isLast: () => boolean, reason: string): Promise<void> {
    const at = report.clock.now()
    if (change === 'all') await catchUp(at, reason)
    else {
      const { news, remember } = await reader.read(change)
      await publish(news)
      remember()
    }
    if (isLast()) currentAt = at
  }

  /** Says that changes were missed, then gives what can be read of them. */
  async function catchUp(at: number, reason: string): Promise<void> {
    const since = currentAt
    const rounds = await reader.roundsSince(since, at)
    const changes = [...rounds.slice(-caughtUpRounds).map((id) => `round:${id}` as const), ...listTopics]
    const readings = await Promise.all(changes.map((change) => reader.read(change)))
    const data = { reason, since: zonedTime(since) }
    report.log.warn('the stream missed changes', { stage: 'report', ...data })
    await publish([{ topic: 'reset', data: async () => data }, ...readings.flatMap(({ news }) => news)])
    for (const { remember } of readings) remember()
  }

  async function publish(news: Parameters<typeof addNews>[0]): Promise<void> {
    await addNews(news)
    for (const listener of [...listeners]) listener.wake()
  }

  async function begin(): Promise<void> {
    const { stopping } = source
    const end = await source.subscribeChanges(
      createChangeQueue({ handle, stopping, retryMs: limits.retryMs, log: report.log }),
    )
    try {
      // Known from now on; what changes meanwhile is heard.
      for (const topic of listTopics) (await reader.read(topic)).remember()
    } catch (error) {
      await end()
      throw error
    }
    currentAt = report.clock.now()
  }

  return {
    ...{ ring, ids, listeners },
    start() {
      started ??= begin().catch((error: unknown) => {
        started = undefined
        throw error
      })
      return started
    },
  }
}
