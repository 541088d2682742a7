import type { FeedScope } from './feed-record.ts'
import type { Json, JsonObject } from './json/json.ts'
import type { Instant } from './time.ts'

/** A line of the contract's schedule, with every length in milliseconds. */
export interface Schedule {
  /** Unique in the contract; `BTCUSDT-5m` unless the author names it. */
  readonly key: string
  /** The series that opens its rounds and resolves their truth. */
  readonly scope: FeedScope
  readonly everyMs: number
  readonly horizonMs: number
  readonly stepMs: number
  readonly on: 'record' | 'clock'
}

/** RECEIVED while its truth is unknown, RESOLVED once it is known or can no longer be (void). */
export type RoundStatus = 'RECEIVED' | 'RESOLVED'

/** open: its truth is not known yet. resolved: it is known. void: it stayed unknown. */
export const roundStates = ['open', 'resolved', 'void'] as const
export type RoundState = (typeof roundStates)[number]

/** One question to all models: a schedule and an instant. Stored as a row of `inputs`. */
export interface Round {
  readonly id: string
  /** The era whose contract opened the round; only that contract may settle it. */
  readonly era: number
  readonly scheduleKey: string
  readonly scope: FeedScope
  readonly horizonMs: number
  readonly stepMs: number
  /** The round's instant: when the newest record it could see was known. */
  readonly performedAt: Instant
  /** `performedAt + horizonMs`: the first moment at which the truth can be known. */
  readonly resolvableAt: Instant
  /** When a truth that is still unknown makes the round void. */
  readonly expiresAt: Instant
  /** Grid cells of the schedule without a round between the previous round and this one, missed by the coordinator. */
  readonly missedBefore: number
  /** What the models were given. */
  readonly input: JsonObject
  readonly status: RoundStatus
  /** When the answers were written; `null` while models work. */
  readonly answeredAt: Instant | null
  /** The truth, `null` until resolved and for a void round. */
  readonly actuals: Json
  /** Why a round is void; `null` otherwise. */
  readonly voidReason: string | null
}

export function roundState({ status, voidReason }: Pick<Round, 'status' | 'voidReason'>): RoundState {
  if (status === 'RECEIVED') return 'open'
  return voidReason === null ? 'resolved' : 'void'
}
