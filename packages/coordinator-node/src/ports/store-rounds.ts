import type { Prediction, RecordedAnswers } from '../domain/prediction.ts'
import type { Round, Schedule } from '../domain/round.ts'
import type { Instant } from '../domain/time.ts'

/** The schedules, which open rounds. */
export interface ScheduleStore {
  /** Makes the stored schedules equal to the contract's; a schedule that left the contract stays, inactive. */
  putSchedules(schedules: readonly Schedule[]): Promise<void>
  /** Active ones, in the contract's order. */
  schedules(): Promise<readonly Schedule[]>
}

/** Rounds and the answers to them. */
export interface RoundStore {
  /**
   * Writes the row of a new round. `false`: the round exists already, and nothing was changed. Its schedule must be known:
   * `NOT_FOUND`. Its era must be the current one: `ERA_ENDED`. A new one must not end in a period of its era that is closed:
   * `PERIOD_CLOSED`; a period that closes at the same moment is not seen. `LEASE_HELD`: this store took `predictLease`, and
   * another process has taken it over; so for answers.
   */
  openRound(round: Round): Promise<boolean>
  /** The newest `performedAt` of each schedule key that has rounds. */
  lastRoundTimes(): Promise<ReadonlyMap<string, Instant>>
  /**
   * Writes all answers of a round, once; the round and every model must be known: `NOT_FOUND`. None becomes PENDING at or after
   * `resolvableAt`, by `answeredAt` or the clock of a live node's database: it is stored as ABSENT, `stored_late`, blamed on
   * the coordinator.
   */
  recordAnswers(roundId: string, answeredAt: Instant, predictions: readonly Prediction[]): Promise<RecordedAnswers>
  /**
   * Records that the contract could not build the input or the call of an instant, so that no round of these schedules opened.
   * Kept until a later round of the schedule opens. Counted once per instant; `LEASE_HELD` as for rounds.
   */
  noteRefusedInput(scheduleKeys: readonly string[], at: Instant, reason: string): Promise<void>
  /** Rounds without answers, oldest first. */
  unansweredRounds(): Promise<readonly Round[]>
  /** The earliest `resolvableAt >= from` of any round; `null` without one. */
  firstResolvableAt(from: Instant): Promise<Instant | null>
  /** Whether a round with `resolvableAt < before` is still unresolved. */
  hasUnresolvedRounds(before: Instant): Promise<boolean>
}
