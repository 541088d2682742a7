import type { Instant } from './time.ts'

export type CheckpointStatus = 'PENDING' | 'SUBMITTED' | 'CLAIMABLE' | 'PAID'

/** 100 % of a payout in the unit of the chain's emissions. */
export const fullRewardFrac64 = 1_000_000_000

export interface CheckpointEntry {
  readonly modelId: string
  readonly rank: number | null
  /** The mean of the ranking value over exactly this period; `null` without data. */
  readonly value: number | null
  readonly scoreCount: number
  readonly dueCount: number
  readonly answeredCount: number
  /** Share of the payout, 1,000,000,000 = 100 %. */
  readonly rewardFrac64: number
  /** The cruncher's index on chain; `null` until a registry maps it, and then the checkpoint cannot be confirmed. */
  readonly cruncherIndex: number | null
}

/** The payout of one period `[periodStart, periodEnd)`. */
export interface Checkpoint {
  readonly id: string
  readonly periodStart: Instant
  readonly periodEnd: Instant
  readonly status: CheckpointStatus
  readonly snapshotCount: number
  readonly entries: readonly CheckpointEntry[]
  /** On-chain names as set when the checkpoint closed; `null` when the operator has not set them. */
  readonly crunch: string | null
  readonly computeProvider: string | null
  readonly dataProvider: string | null
  readonly transactionId: string | null
  readonly submittedAt: Instant | null
  readonly createdAt: Instant
}

const nextStatus: Readonly<Record<CheckpointStatus, CheckpointStatus | null>> = {
  PENDING: 'SUBMITTED',
  SUBMITTED: 'CLAIMABLE',
  CLAIMABLE: 'PAID',
  PAID: null,
}

export function canMoveCheckpoint(from: CheckpointStatus, to: CheckpointStatus): boolean {
  return nextStatus[from] === to
}
