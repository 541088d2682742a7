import type { Prediction } from '../question.ts'
import { TrackerBase } from '../tracker.ts'

/** Predicts the last value. */
export class LastValue extends TrackerBase {
  override predict(subject: string): Prediction {
    return { value: this.dataOf(subject)?.values.at(-1) ?? 0 }
  }
}
