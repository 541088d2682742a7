import { shortNumber } from '../../format/numbers.ts'
import type { Checkpoint } from './checkpoint-data.ts'

interface FloorText {
  readonly value: string
  readonly note: string
}

/** The floor of a payout. A checkpoint without its value had none, or could not know it. */
export function floorText({
  floor,
  emission_reason,
}: Pick<Checkpoint['meta'], 'floor' | 'emission_reason'>): FloorText {
  if (floor !== null) return { value: shortNumber(floor), note: 'a paid value had to be better' }
  if (emission_reason === 'floor_unknown') return { value: 'unknown', note: 'so no model could be paid' }
  if (emission_reason === 'no_payable_model') return { value: 'not stored', note: 'no model could be compared with it' }
  return { value: 'none', note: 'no value had to be exceeded' }
}
