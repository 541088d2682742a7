import type { Prediction } from '../question.ts'
import { TrackerBase } from '../tracker.ts'
import { moveOver, moves, usualMove } from './price-moves.ts'

/** The move per bar at which the position is full: 5 basis points. */
const targetMove = 0.0005

/** Follows the direction of the last hour, with a smaller position in a more volatile market. */
export class VolatilityScaled extends TrackerBase {
  override predict(subject: string): Prediction {
    const closes = this.dataOf(subject)?.closes ?? []
    const usual = usualMove(moves(closes))
    if (usual === 0) return { value: 0 }
    return { value: Math.sign(moveOver(closes, 60)) * Math.min(1, targetMove / usual) }
  }
}
