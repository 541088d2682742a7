import { toJson } from '../../domain/json/json.ts'
import { anyone, type Viewer } from '../access/viewer.ts'
import type { EventIds } from './event-ids.ts'
import type { EventRing } from './event-ring.ts'
import type { News } from './read-changes.ts'

interface Reset {
  readonly topic: 'reset'
  readonly data: News['data']
}

/** Adds events to the ring. All or none: what fails halfway is read and published again as a whole. */
export function createPublisher(ring: EventRing, ids: EventIds) {
  return async (news: readonly (News | Reset)[]): Promise<void> => {
    const made = await Promise.all(
      news.map(async ({ topic, data }) => {
        const shared = dataText(await data(anyone))
        // The event keeps the hidden answers as well.
        const whole = topic === 'predictions' ? dataText(await data({ role: 'admin', by: 'key' })) : shared
        return { topic, data, shared, whole }
      }),
    )
    for (const { topic, data, shared, whole } of made) {
      const seq = ring.newest() + 1
      const bytesOf = (text: string) => eventBytes(ids.of(seq), topic, text)
      const sharedBytes = bytesOf(shared)
      ring.add({
        seq,
        topic,
        byteCount: Math.max(sharedBytes.length, Buffer.byteLength(whole)),
        bytesFor: async (viewer) => (seesMore(topic, viewer) ? bytesOf(dataText(await data(viewer))) : sharedBytes),
      })
    }
  }
}

const encoder = new TextEncoder()

/** One server-sent event, of JSON without line breaks. */
export function eventBytes(id: string, type: string, text: string): Uint8Array {
  return encoder.encode(`id: ${id}\nevent: ${type}\ndata: ${text}\n\n`)
}

export function dataText(data: unknown): string {
  return JSON.stringify(toJson(data))
}

/** Whether a viewer may see more of an event than the public. What it sees is made when it is read. */
function seesMore(topic: string, { role }: Viewer): boolean {
  return topic === 'predictions' && role !== 'public' && role !== 'read'
}
