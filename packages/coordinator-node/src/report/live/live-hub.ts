import { toJson } from '../../domain/json/json.ts'
import type { Change } from '../../ports/store-workers.ts'
import { anyone, type Viewer } from '../access/viewer.ts'
import type { ReportContext } from '../report-context.ts'
import { zonedTime } from '../rows/row-fields.ts'
import { createChangeQueue } from './change-queue.ts'
import { createEventIds, type EventIds } from './event-ids.ts'
import { createEventRing, type EventRing } from './event-ring.ts'
import type { LiveSource, StreamLimits } from './live-source.ts'
import { createChangeReader, listTopics, type News } from './read-changes.ts'

/** Rounds that a catch-up reads. Older ones are left to the client, which a reset tells to read again. */
const caughtUpRounds = 100

/** A client of the hub. */
export interface Listener {
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
  const reader = createChangeReader(report)
  let started: Promise<void> | undefined
  let currentAt = report.clock.now()

  async function handle(change: Change, isLast: () => boolean, reason: string): Promise<void> {
    const at = report.clock.now()
    if (change === 'all') await catchUp(at, reason)
    else for (const news of await reader.read(change)) await publish(news)
    if (isLast()) currentAt = at
  }

  /** Says that changes were missed, then gives what can be read of them. */
  async function catchUp(at: number, reason: string): Promise<void> {
    const since = currentAt
    const rounds = await reader.roundsSince(since, at)
    const recent = await Promise.all(rounds.slice(-caughtUpRounds).map((id) => reader.read(`round:${id}`)))
    const data = { reason, since: zonedTime(since) }
    report.log.warn('the stream missed changes', { stage: 'report', ...data })
    await publish({ topic: 'reset', data: async () => data })
    for (const news of recent.flat()) await publish(news)
    // Published at once, because they are known once they are read.
    for (const topic of listTopics) for (const news of await reader.read(topic)) await publish(news)
  }

  async function publish({ topic, data }: News | { topic: 'reset'; data: News['data'] }): Promise<void> {
    const seq = ring.newest() + 1
    const id = ids.of(seq)
    const bytesOf = async (viewer: Viewer) => eventBytes(id, topic, await data(viewer))
    const shared = await bytesOf(anyone)
    // The event keeps the hidden answers as well.
    const whole = topic === 'predictions' ? await bytesOf({ role: 'admin', by: 'key' }) : shared
    ring.add({
      seq,
      topic,
      byteCount: Math.max(shared.length, whole.length),
      bytesFor: async (viewer) => (seesMore(topic, viewer) ? bytesOf(viewer) : shared),
    })
    for (const listener of [...listeners]) listener.wake()
  }

  async function begin(): Promise<void> {
    const { stopping } = source
    const end = await source.subscribeChanges(
      createChangeQueue({ handle, stopping, retryMs: limits.retryMs, log: report.log }),
    )
    try {
      // Known from now on; what changes meanwhile is heard.
      for (const topic of listTopics) await reader.read(topic)
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

const encoder = new TextEncoder()

/** One server-sent event. JSON has no line breaks of its own. */
export function eventBytes(id: string, type: string, data: unknown): Uint8Array {
  return encoder.encode(`id: ${id}\nevent: ${type}\ndata: ${JSON.stringify(toJson(data))}\n\n`)
}

/** Whether a viewer may see more of an event than the public. What it sees is made when it is read. */
function seesMore(topic: string, { role }: Viewer): boolean {
  return topic === 'predictions' && role !== 'public' && role !== 'read'
}
