import type { Refusal } from './progress/refusal.ts'
import type { Instant } from './time.ts'

export type CheckpointStatus = 'PENDING' | 'SUBMITTED' | 'CLAIMABLE' | 'PAID'

/** The statuses in their order; each is reached from the one before. */
export const checkpointStatuses: readonly CheckpointStatus[] = ['PENDING', 'SUBMITTED', 'CLAIMABLE', 'PAID']

/** 100 % of a payout in the unit of the chain's emissions. */
export const fullRewardFrac64 = 1_000_000_000

/**
 * Why a model is not paid: the first reason that applies, in this order:
 * - no_answer: no valid answer in the period.
 * - no_value: the contract's own aggregate gives it no value.
 * - low_coverage: fewer of the period's rounds answered than the contract requires.
 * - not_above_floor: not better than the emission's floor; floor_unknown: the floor has no value.
 * - no_share: the emission has no share for its place.
 */
export type UnpaidReason =
  | 'baseline'
  | 'organizer'
  | 'retired'
  | 'no_answer'
  | 'no_value'
  | 'low_coverage'
  | 'floor_unknown'
  | 'not_above_floor'
  | 'no_share'

/**
 * Why a whole payout is empty. no_payable_model: no model meets the conditions of a payment. floor_unknown: the baseline
 * that sets the floor has no value in the period. nobody_above_floor: no model is better than the floor.
 */
export type EmissionReason = 'no_payable_model' | 'floor_unknown' | 'nobody_above_floor'

export interface CheckpointEntry {
  readonly modelId: string
  /** Rank among the payable models; `null` for other models. */
  readonly rank: number | null
  /** The value over exactly this period, by default the mean of the ranking value; `null` without one. */
  readonly value: number | null
  /** Scores of the period, including imputed ones. */
  readonly scoreCount: number
  /** Rounds that it had to answer, and those that it answered in time. */
  readonly dueCount: number
  readonly answeredCount: number
  /** Rounds in which it has a valid score, not an imputed one. */
  readonly validCount: number
  /** All rounds of the period except excused ones. */
  readonly roundCount: number
  /** `validCount / roundCount`; `null` without a round. */
  readonly coverage: number | null
  /** Share of the payout, 1,000,000,000 = 100 %. */
  readonly rewardFrac64: number
  /** `null` for a model that is paid. */
  readonly unpaidReason: UnpaidReason | null
  /** Always `null`: the index on chain is part of a {@link Winner}, because a checkpoint closes without the registry. */
  readonly cruncherIndex: number | null
}

/** A paid model with the account on chain that gets its reward. */
export interface Winner {
  readonly modelId: string
  readonly modelName: string
  readonly cruncherId: string
  readonly cruncherName: string
  /** Share of the payout, 1,000,000,000 = 100 %. */
  readonly rewardFrac64: number
  /** Address of the cruncher's wallet in base58; `null` if the registry does not map the cruncher. */
  readonly wallet: string | null
  /** The cruncher's index on chain; `null` if the registry does not know it. */
  readonly onchainIndex: number | null
}

/** One step of a checkpoint's status. */
export interface CheckpointMove {
  readonly to: Exclude<CheckpointStatus, 'PENDING'>
  /** When the node recorded it, in Unix milliseconds. */
  readonly at: Instant
  /** The transaction that pays, in base58; only of the step to SUBMITTED. */
  readonly transactionId: string | null
  /** Whether the chain was asked and had the transaction as final and successful; only of the step to SUBMITTED. */
  readonly isVerified: boolean | null
  /** Who is paid, as the registry had it at the step to SUBMITTED; empty for other steps. */
  readonly winners: readonly Winner[]
}

/** Who accepted a checkpoint although scores or truths of its period were refused. */
export interface Acknowledgement {
  readonly by: string
  readonly at: Instant
}

/** The payout of one period `[periodStart, periodEnd)`. */
export interface Checkpoint {
  readonly id: string
  readonly era: number
  readonly periodStart: Instant
  readonly periodEnd: Instant
  readonly status: CheckpointStatus
  readonly snapshotCount: number
  /** How many scores of the period each version of the contract's code computed. */
  readonly contractVersions: Readonly<Record<string, number>>
  /** In the order in which they are shown: the payable by rank, then baselines and the others. Rewards add up to 100 %, or to nothing. */
  readonly entries: readonly CheckpointEntry[]
  /** The floor that a paid value must exceed; `null` without a floor, or if it is unknown. */
  readonly floor: number | null
  /** Why no model is paid; `null` when at least one is. */
  readonly emissionReason: EmissionReason | null
  /** Truths and scores of the period that the contract refused. If there are any, the export requires an acknowledgement. */
  readonly refusals: readonly Refusal[]
  readonly acknowledged: Acknowledgement | null
  /** On-chain names as set when the checkpoint closed; `null` when the operator has not set them. */
  readonly crunch: string | null
  readonly computeProvider: string | null
  readonly dataProvider: string | null
  readonly transactionId: string | null
  readonly submittedAt: Instant | null
  /** The steps of the status so far, oldest first. */
  readonly moves: readonly CheckpointMove[]
  readonly createdAt: Instant
}
