import { createTestLog } from '../../../test/test-log.ts'
import { feedScopeKey } from '../../domain/feed-record.ts'
import type { Instant } from '../../domain/time.ts'
import type { FeedSource, SourceRecord } from '../../ports/feed-source.ts'
import { btc, candle, minute } from '../../ports/store-samples.ts'
import { followSource } from './follow-source.ts'
import { createFollowedSeries, type FollowedSeries } from './followed-series.ts'
import { createScriptedSource, type Script } from './scripted-source.testkit.ts'
import { defaultPatience, type Patience, type Timing } from './timing.ts'

export const sourceCandle = (count: number, scope = btc): SourceRecord => {
  const { receivedAt: _, ...record } = candle(count, undefined, scope)
  return record
}
export const btcMinutes = (from: number, to: number) =>
  Array.from({ length: to - from }, (_, index) => sourceCandle(from + index))
export const minutesOf = (records: readonly SourceRecord[]) =>
  records.map((record) => (record.eventAt - minute(0)) / 60_000)

/** Waits end at once and advance the follower's clock. */
function quickTiming(at: Instant = minute(100)): Timing & { readonly waits: number[] } {
  const waits: number[] = []
  let now = at
  return {
    waits,
    now: () => now,
    random: () => 0.5,
    async wait(lengthMs, signal) {
      waits.push(lengthMs)
      now += lengthMs
      await new Promise((resolve) => setImmediate(resolve))
      if (signal.aborted) return
    },
  }
}

export interface Followed {
  readonly series?: readonly FollowedSeries[]
  readonly patience?: Partial<Patience>
  /** Stops when this many different records have arrived. */
  readonly count: number
}

/** Follows a source until a number of records has arrived. */
export async function follow(
  source: FeedSource,
  { series = [createFollowedSeries(btc, null, minute(0))], patience, count }: Followed,
) {
  const log = createTestLog()
  const timing = quickTiming()
  const interruptions: string[] = []
  const stop = new AbortController()
  const signal = AbortSignal.any([stop.signal, AbortSignal.timeout(10_000)])
  const found: SourceRecord[] = []
  const keys = new Set<string>()
  const batches = followSource({
    ...{ source, series, log, timing, signal },
    patience: { ...defaultPatience, ...patience },
    onConnected: async () => {},
    onInterrupted: async (reason) => {
      interruptions.push(reason)
    },
  })
  for await (const batch of batches) {
    for (const record of batch) {
      found.push(record)
      keys.add(`${feedScopeKey(record)} ${record.eventAt}`)
    }
    if (keys.size >= count) break
  }
  stop.abort()
  const lines = log.lines.filter(({ level }) => level !== 'debug')
  return { found, messages: lines.map(({ message }) => message), lines, interruptions, waits: timing.waits }
}

/** A scripted source with a complete history. */
export const all = (script: Omit<Script, 'history'>) =>
  createScriptedSource({ ...script, history: (found) => found }).source
