import type { Prediction } from '../question.ts'
import { TrackerBase } from '../tracker.ts'

/** Never has an opinion. A model that ranks below it would have scored better without any. */
export class Flat extends TrackerBase {
  override predict(): Prediction {
    return { value: 0 }
  }
}
