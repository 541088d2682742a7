import type { AnyContract } from '../contract/crunch-contract.ts'
import { contractFeeds, resolveContract } from '../contract/resolved-contract.ts'
import { sampleValues } from '../contract/sample-values.ts'
import { toJsonObject } from '../domain/json/json.ts'
import { floorToGrid } from '../domain/time.ts'
import type { FeedSource, SourceRecord } from '../ports/feed-source.ts'

const sampleCount = 24
const maxInstants = 5_000
/** An arbitrary instant that lies on every daily and hourly grid. */
const beganAt = Date.UTC(2024, 0, 1)

/**
 * Makes records from the schemas of a contract's feeds, for a rehearsal without a recording. They cover the contract's
 * input window and longest horizon. `null` when a schema cannot be sampled.
 */
export function sampleRecords(contract: AnyContract): FeedSource | null {
  const { schedules, inputWindowMs } = resolveContract(contract)
  const feeds = contractFeeds(contract).map((feed) => ({
    ...feed,
    values: sampleValues(feed.definition.values, sampleCount),
  }))
  if (feeds.length === 0 || feeds.some(({ values }) => values.length === 0)) return null
  const finestMs = Math.min(...feeds.map(({ granularityMs }) => granularityMs))
  const longestMs = Math.max(...schedules.map(({ everyMs, horizonMs }) => everyMs + horizonMs))
  const instants = Math.min(maxInstants, Math.ceil((inputWindowMs + 2 * longestMs) / finestMs) + 2)
  return {
    describe: async () => [],
    async *history() {},
    async *stream(_, __, signal) {
      for (let index = 1; index <= instants && !signal.aborted; index += 1) {
        const at = beganAt + index * finestMs
        const due = feeds.filter(({ granularityMs }) => floorToGrid(at, granularityMs) === at)
        yield due.map(
          ({ scope, granularityMs, values }): SourceRecord => ({
            ...scope,
            eventAt: scope.kind === 'candle' ? at - granularityMs : at,
            knownAt: at,
            values: toJsonObject(values[index % values.length], 'values'),
          }),
        )
      }
    },
  }
}
