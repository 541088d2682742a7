import { setTimeout } from 'node:timers/promises'
import type { FeedSource, SourceRecord } from '../src/ports/feed-source.ts'

/** A live source without a history: a rising price of A, until the signal aborts. */
export function pulseSource(everyMs: number): FeedSource {
  return {
    describe: async () => [{ source: 'pulse', subjects: ['A'], kind: 'tick', granularities: 'any' }],
    async *stream(scopes, _from, signal, onOpen) {
      onOpen?.()
      for (let price = 1; !signal.aborted; price += 1) {
        await setTimeout(everyMs)
        const now = Date.now()
        yield scopes.map((scope): SourceRecord => ({ ...scope, eventAt: now, knownAt: now, values: { price } }))
      }
    },
    async *history() {},
  }
}
