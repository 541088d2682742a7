import type { FeedRecord, FeedScope } from './feed-record.ts'
import { feedScopeKey } from './feed-record.ts'
import { jsonEqual } from './json/json-equal.ts'
import { formatInstant, type Instant } from './time.ts'

/** Why a series cannot be trusted at an instant. */
export interface Distrust {
  readonly status: 'stale' | 'frozen' | 'suspect'
  /** The cause. It stays the same while the numbers in the reason change. */
  readonly cause: 'silence' | 'repetition' | 'jump' | 'disagreement' | 'no comparison' | 'clock'
  readonly reason: string
}

/** What a contract requires of a series before rounds open on it and are scored by it. `null`: no such requirement. */
export interface FeedGate {
  /** Number of consecutive identical records after which the series is frozen. */
  readonly frozenAfter: number | null
  /** The limit is relative to the earlier record. */
  readonly maxJump: { readonly watch: string; readonly limit: number } | null
  readonly agree: {
    readonly watch: string
    /** The band: relative to the value of the other series. */
    readonly within: number
    readonly peer: FeedPeer
  } | null
}

/** The series that another one is compared with. */
export interface FeedPeer {
  readonly scope: FeedScope
  readonly watch: string
  readonly granularityMs: number
}

/** Number of records without another jump after which a series is trusted again. */
const calmRecords = 3

/** The age at which a series is stale. A record of a one-second series may take five seconds to arrive. */
export function freshnessMs(granularityMs: number): number {
  return Math.max(2 * granularityMs, 5_000)
}

/** Whether a series is silent at an instant: nothing new for {@link freshnessMs}. */
export function isSilent(newestKnownAt: Instant, granularityMs: number, at: Instant): boolean {
  return at - newestKnownAt >= freshnessMs(granularityMs)
}

/**
 * Whether a series is fresh at an instant: neither silent, nor equally far in the future, which only a wrong clock can
 * cause.
 */
export function isFresh(newestKnownAt: Instant, granularityMs: number, at: Instant): boolean {
  return !isSilent(newestKnownAt, granularityMs, at) && newestKnownAt - at < freshnessMs(granularityMs)
}

/** Number of newest records that a gate reads. */
export function gateRecordCount(gate: FeedGate): number {
  return Math.max(gate.frozenAfter ?? 0, gate.maxJump === null ? 0 : calmRecords + 1, gate.agree === null ? 0 : 1)
}

/**
 * Why a series is distrusted at an instant: the first reason; `null` if it is trusted. Depends only on what was known
 * then, so that a simulation, a replay and a live node agree.
 * @param records the newest ones known at the instant, oldest first: at least {@link gateRecordCount} unless there are
 *   fewer
 * @param peer the last record of the other series known at the instant
 */
export function judgeSeries(
  gate: FeedGate,
  records: readonly FeedRecord[],
  peer: FeedRecord | null,
  at: Instant,
): Distrust | null {
  const newest = records.at(-1)
  if (newest === undefined) return null
  return judgeRepetition(gate, records) ?? judgeJumps(gate, records) ?? judgeAgreement(gate, newest, peer, at)
}

function judgeRepetition({ frozenAfter }: FeedGate, records: readonly FeedRecord[]): Distrust | null {
  if (frozenAfter === null || records.length < frozenAfter) return null
  const newest = records.at(-1) as FeedRecord
  for (let back = 2; back <= frozenAfter; back += 1) {
    if (!jsonEqual((records.at(-back) as FeedRecord).values, newest.values)) return null
  }
  const since = formatInstant((records.at(-frozenAfter) as FeedRecord).eventAt)
  const reason = `the last ${frozenAfter} records have the same values, at least since ${since}`
  return { status: 'frozen', cause: 'repetition', reason }
}

function judgeJumps({ maxJump }: FeedGate, records: readonly FeedRecord[]): Distrust | null {
  if (maxJump === null) return null
  const { watch, limit } = maxJump
  for (let back = 1; back <= calmRecords && back < records.length; back += 1) {
    const [record, before] = [records.at(-back) as FeedRecord, records.at(-back - 1) as FeedRecord]
    const [to, from] = [record.values[watch], before.values[watch]]
    if (typeof to !== 'number' || typeof from !== 'number') return unreadable(watch)
    const change = relativeDifference(to, from)
    if (change <= limit) continue
    const reason = `"${watch}" jumped by ${percent(change)} at ${formatInstant(record.knownAt)}, more than ${percent(limit)}; it is trusted again after ${calmRecords} records without a jump`
    return { status: 'suspect', cause: 'jump', reason }
  }
  return null
}

function judgeAgreement(
  { agree }: FeedGate,
  newest: FeedRecord,
  other: FeedRecord | null,
  at: Instant,
): Distrust | null {
  if (agree === null) return null
  const { watch, within, peer } = agree
  const name = feedScopeKey(peer.scope)
  // What cannot be verified is not trusted.
  if (other === null) return noComparison(`${name}, which it must agree with, has no records yet`)
  if (isSilent(other.knownAt, peer.granularityMs, at)) {
    return noComparison(
      `${name}, which it must agree with, has had no new record since ${formatInstant(other.knownAt)}`,
    )
  }
  const [own, theirs] = [newest.values[watch], other.values[peer.watch]]
  if (typeof own !== 'number') return unreadable(watch)
  if (typeof theirs !== 'number') return noComparison(`the value "${peer.watch}" of ${name} is not a number`)
  const difference = relativeDifference(own, theirs)
  if (difference <= within) return null
  const reason = `"${watch}" differs from ${name} by ${percent(difference)}, more than ${percent(within)}`
  return { status: 'suspect', cause: 'disagreement', reason }
}

const noComparison = (reason: string): Distrust => ({ status: 'suspect', cause: 'no comparison', reason })

const unreadable = (watch: string): Distrust => noComparison(`its value "${watch}" is not a number`)

/** Relative to 0, every change is infinitely large. */
function relativeDifference(value: number, base: number): number {
  return value === base ? 0 : Math.abs(value - base) / Math.abs(base)
}

function percent(ratio: number): string {
  return `${Number((ratio * 100).toPrecision(3))} %`
}
