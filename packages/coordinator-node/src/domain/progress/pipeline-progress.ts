import type { FeedScope, FeedState } from '../feed-record.ts'
import type { Instant } from '../time.ts'
import type { StandingRefusal } from './refusal.ts'

/** The last heartbeat of a worker. Its times are those of the store's own clock, which no worker can set. */
export interface Heartbeat {
  readonly worker: string
  readonly at: Instant
  /** How long ago that was. */
  readonly silentMs: number
  /** By how much the promised next heartbeat is late; 0 or less if it is not. */
  readonly overdueMs: number
  /** How long ago the worker last finished a pass over its work; `null` before the first. */
  readonly sinceWorkMs: number | null
  /** Why its newest pass over its work failed; `null` when it did not. */
  readonly problem: string | null
}

/** The rounds of one schedule that were opened and have no result yet. */
export interface OpenRounds {
  readonly scheduleKey: string
  readonly scope: FeedScope
  /** Opened rounds without answers. */
  readonly unansweredCount: number
  readonly firstUnansweredAt: Instant | null
  /** Those of them whose horizon has passed. */
  readonly dueCount: number
  readonly firstDueAt: Instant | null
  /** Answered, and either their truth can be looked up or they have expired: settling has to decide about them. */
  readonly ripeCount: number
  readonly firstRipeAt: Instant | null
  readonly expiredCount: number
}

/** Number of newest rounds of a schedule that decide whether its models answer, because one may fail by chance. */
export const recentRoundCount = 3

/** An answered round that is not void. */
export interface RecentRound {
  readonly scheduleKey: string
  readonly performedAt: Instant
  readonly rowCount: number
  /** Rows with a valid answer. */
  readonly validCount: number
  /** The most frequent reason of the others, the first by name if several are equally frequent; `null` without one. */
  readonly commonReason: string | null
}

/** The progress of each stage. Standstills are detected from this alone. */
export interface PipelineProgress {
  /** In order of worker. */
  readonly heartbeats: readonly Heartbeat[]
  /** When the first model that now takes part was registered; `null` without one. */
  readonly firstModelAt: Instant | null
  /** The newest `performedAt` of each schedule that has rounds. */
  readonly lastRoundTimes: ReadonlyMap<string, Instant>
  /** In order of schedule key; only schedules with such rounds. */
  readonly openRounds: readonly OpenRounds[]
  /** The newest {@link recentRoundCount} of each active schedule, in order of schedule key, oldest first. */
  readonly recentRounds: readonly RecentRound[]
  /** Current refusals of the contract for active schedules, ordered by schedule key: inputs, then truths, then scores. */
  readonly refusals: readonly StandingRefusal[]
  /** End of the newest closed period, and the earliest `resolvableAt` of a round after it. */
  readonly lastPeriodEnd: Instant | null
  readonly firstInOpenPeriod: Instant | null
  readonly lastCheckpointEnd: Instant | null
  readonly firstInOpenCheckpoint: Instant | null
}

/** Everything that is known about a node: its feeds, and the progress of each stage. */
export interface NodeProgress extends PipelineProgress {
  readonly feeds: readonly FeedState[]
}
