import { checkpointWords, wordOf } from '../../format/words.ts'
import { StateMark } from '../../parts/state-mark.tsx'
import type { Checkpoint } from './checkpoint-data.ts'

/** A payout's status as the API names it, and what it means. An empty payout waits for no payment. */
export function CheckpointStatus({ of: { status, meta } }: { readonly of: Pick<Checkpoint, 'status' | 'meta'> }) {
  if (meta.emission_reason !== null) return <StateMark mood="quiet" word="nothing to pay" />
  const mood = status === 'PAID' ? 'ok' : status === 'PENDING' ? 'warn' : 'quiet'
  return <StateMark mood={mood} word={wordOf(checkpointWords, status)} title={status} />
}
