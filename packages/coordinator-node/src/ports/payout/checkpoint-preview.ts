import type { Checkpoint } from '../../domain/checkpoint.ts'
import type { Instant } from '../../domain/time.ts'
import type { RoundSummary } from '../reads/page-reads.ts'

/** What the next checkpoint would be if its period ended now. */
export interface CheckpointPreview {
  /** Not stored. Its period ends with the newest closed snapshot period. */
  readonly checkpoint: Checkpoint
  /** When the period really ends. */
  readonly endsAt: Instant
  /** Rounds that resolve in the period, among the newest open ones of the competition, newest first. */
  readonly openRounds: readonly RoundSummary[]
}

/** The open rounds that a preview looks at. */
export const maxOpenRounds = 50

/** Anyone may ask at any time: the same answer is given for a few seconds, and until another snapshot period has closed. */
export type PreviewCheckpoint = () => Promise<CheckpointPreview>
