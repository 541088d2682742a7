import type { Prediction } from '../question.ts'
import { TrackerBase } from '../tracker.ts'

const bars = 30

/** A price far from its half-hour mean comes back, the surer the farther it is in standard deviations. */
export class MeanReversion extends TrackerBase {
  override predict(subject: string): Prediction {
    const closes = this.dataOf(subject)?.closes.slice(-bars) ?? []
    const last = closes.at(-1)
    if (last === undefined) return { value: 0 }
    const mean = closes.reduce((sum, close) => sum + close, 0) / closes.length
    const std = Math.sqrt(closes.reduce((sum, close) => sum + (close - mean) ** 2, 0) / closes.length)
    return { value: std === 0 ? 0 : Math.tanh((mean - last) / (2 * std)) }
  }
}
