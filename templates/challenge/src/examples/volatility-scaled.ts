import type { Prediction } from '../question.ts'
import { TrackerBase } from '../tracker.ts'
import { moveOver, moves, usualMove } from './price-moves.ts'

/** The move a bar that a full position is meant for: 5 basis points. */
const targetMove = 0.0005

/** The direction of the last hour, with a position that shrinks as the market grows wilder. */
export class VolatilityScaled extends TrackerBase {
  override predict(subject: string): Prediction {
    const closes = this.dataOf(subject)?.closes ?? []
    const usual = usualMove(moves(closes))
    if (usual === 0) return { value: 0 }
    return { value: Math.sign(moveOver(closes, 60)) * Math.min(1, targetMove / usual) }
  }
}
