import type { ResolvedContract } from '../../contract/resolved-contract.ts'
import { type FeedScope, feedScopeKey } from '../../domain/feed-record.ts'
import { isSilent } from '../../domain/feed-trust.ts'
import type { JsonObject } from '../../domain/json/json.ts'
import { durationMs, type Instant } from '../../domain/time.ts'
import { dueSchedules } from './due-schedules.ts'
import type { ModelRegistry } from './model-registry.ts'
import type { RefusedRounds } from './refused-rounds.ts'
import { roundLateness } from './round-lateness.ts'
import { type RanRounds, type RunRoundsPorts, runRounds } from './run-rounds.ts'

export interface InstantPorts extends RunRoundsPorts {
  /** How far ahead of the clock a record may be known; no limit by default. */
  readonly clockToleranceMs?: number | undefined
}

/** State kept between instants. */
export interface PredictionState {
  readonly registry: ModelRegistry
  /** By schedule key. */
  readonly lastRoundTimes: Map<string, Instant>
  readonly refused: RefusedRounds
}

/** The state of one series at an instant, from earlier stages. */
export interface SeriesInstant {
  readonly scope: FeedScope
  readonly at: Instant
  readonly on: 'record' | 'clock'
  /** When its newest record was known. */
  readonly newestKnownAt: Instant
  readonly isTrusted: boolean
  /** A refusal when the contract cannot build it: then no round opens, and it counts as missed. */
  readonly buildInput: () => { readonly input: JsonObject } | { readonly refusal: string }
}

export const noRounds: RanRounds = { rounds: [], predictionCount: 0 }

/**
 * Sends the models the new records of one series, and runs its due rounds. Does nothing for a feed that is not fresh. A
 * feed that is fresh but not trusted is sent, but opens no rounds: its cells of the grid count as missed by the node.
 */
export async function runInstant(
  resolved: ResolvedContract,
  ports: InstantPorts,
  state: PredictionState,
  { scope, at, on, newestKnownAt, isTrusted, buildInput }: SeriesInstant,
): Promise<RanRounds> {
  const now = ports.clock.now()
  if (isSilent(newestKnownAt, durationMs(scope.granularity), now)) return noRounds
  // The clock is behind the known records: the truth of a round opened "now" might already be known.
  if (newestKnownAt - now > (ports.clockToleranceMs ?? Number.POSITIVE_INFINITY)) return noRounds
  const key = feedScopeKey(scope)
  const own = resolved.schedules.filter((schedule) => schedule.on === on && feedScopeKey(schedule.scope) === key)
  const times = new Map<string, number>()
  for (const schedule of own) {
    const lateness = roundLateness(schedule, resolved.timeoutMs, at, now)
    if (lateness.kind === 'opens') times.set(schedule.key, lateness.timeoutMs)
  }
  const open = own.filter((schedule) => times.has(schedule.key))
  const mayOpen = isTrusted && at >= resolved.era.beganAt
  const due = mayOpen ? dueSchedules(open, state.lastRoundTimes, at) : []
  if (on === 'clock' && due.length === 0) return noRounds
  const built = buildInput()
  if ('refusal' in built) {
    const keys = due.map(({ schedule }) => schedule.key)
    if (keys.length > 0) await ports.store.noteRefusedInput(keys, at, built.refusal)
    return noRounds
  }
  const { input } = built
  const dueNow = due.map((entry) => ({
    ...entry,
    missedBefore: entry.missedBefore + state.refused.unrecordedCount(entry.schedule.key),
  }))
  const { add: onRefused } = state.refused
  const onOpen = (scheduleKey: string) => {
    state.lastRoundTimes.set(scheduleKey, at)
    state.refused.opens(scheduleKey)
  }
  // Rounds of one instant share a dispatch, so the shortest of their time limits applies.
  const timeoutMs = Math.min(resolved.timeoutMs, ...due.map(({ schedule }) => times.get(schedule.key) as number))
  return runRounds(resolved, ports, state.registry, {
    ...{ at, input, due: dueNow, timeoutMs, isNews: on === 'record' },
    ...{ onOpen, onRefused },
  })
}
