import type { Prediction } from '../question.ts'
import { TrackerBase } from '../tracker.ts'

/**
 * A random number between -1 and 1, unrelated to the market. It is derived from the data, so that a replay
 * gives the same numbers.
 */
export class Coin extends TrackerBase {
  override predict(subject: string): Prediction {
    const newest = this.dataOf(subject)?.closes.slice(-3) ?? []
    return { value: (hash(`${subject}:${newest.join(':')}`) / 0xffffffff) * 2 - 1 }
  }
}

/** FNV-1a with the final mix of MurmurHash3, 32 bits. */
function hash(text: string): number {
  let state = 0x811c9dc5
  for (let index = 0; index < text.length; index++) {
    state = Math.imul(state ^ text.charCodeAt(index), 0x01000193)
  }
  state = Math.imul(state ^ (state >>> 16), 0x85ebca6b)
  state = Math.imul(state ^ (state >>> 13), 0xc2b2ae35)
  return (state ^ (state >>> 16)) >>> 0
}
