import type { Prediction } from '../question.ts'
import { TrackerBase } from '../tracker.ts'
import { moveOver, moves, usualMove } from './price-moves.ts'

/** Expects the move of the last ten bars to continue, with more confidence the larger it is for this market. */
export class Momentum extends TrackerBase {
  override predict(subject: string): Prediction {
    const closes = this.dataOf(subject)?.closes ?? []
    const usual = usualMove(moves(closes)) * Math.sqrt(10)
    return { value: usual === 0 ? 0 : Math.tanh(moveOver(closes, 10) / usual) }
  }
}
