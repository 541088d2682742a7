import type { Prediction } from '../question.ts'
import { TrackerBase } from '../tracker.ts'
import { moveOver, moves, usualMove } from './price-moves.ts'

/** What went up in the last ten bars goes on going up, the surer the larger the move is for this market. */
export class Momentum extends TrackerBase {
  override predict(subject: string): Prediction {
    const closes = this.dataOf(subject)?.closes ?? []
    const usual = usualMove(moves(closes)) * Math.sqrt(10)
    return { value: usual === 0 ? 0 : Math.tanh(moveOver(closes, 10) / usual) }
  }
}
