import type { Prediction } from '../question.ts'
import { TrackerBase } from '../tracker.ts'

const size = 3

/** Predicts the mean of the last three values. */
export class RecentMean extends TrackerBase {
  override predict(subject: string): Prediction {
    const values = this.dataOf(subject)?.values.slice(-size) ?? []
    if (values.length === 0) return { value: 0 }
    return { value: values.reduce((sum, value) => sum + value, 0) / values.length }
  }
}
