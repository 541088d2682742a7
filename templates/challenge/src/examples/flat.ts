import type { Prediction } from '../question.ts'
import { TrackerBase } from '../tracker.ts'

/** No opinion, ever: whoever ranks below it would have done better to stay silent. */
export class Flat extends TrackerBase {
  override predict(): Prediction {
    return { value: 0 }
  }
}
