import type { Prediction } from '../question.ts'
import { TrackerBase } from '../tracker.ts'

/**
 * Chance: a number between -1 and 1 that says nothing about the market. It is drawn from the data itself, so that a replay
 * gives the same ones.
 */
export class Coin extends TrackerBase {
  override predict(subject: string): Prediction {
    const newest = this.dataOf(subject)?.closes.slice(-3) ?? []
    return { value: (hash(`${subject}:${newest.join(':')}`) / 0xffffffff) * 2 - 1 }
  }
}

/** FNV-1a with a final mix (the one of MurmurHash3), 32 bits. */
function hash(text: string): number {
  let state = 0x811c9dc5
  for (let index = 0; index < text.length; index++) {
    state = Math.imul(state ^ text.charCodeAt(index), 0x01000193)
  }
  state = Math.imul(state ^ (state >>> 16), 0x85ebca6b)
  state = Math.imul(state ^ (state >>> 13), 0xc2b2ae35)
  return (state ^ (state >>> 16)) >>> 0
}
