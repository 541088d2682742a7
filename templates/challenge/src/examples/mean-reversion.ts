import type { Prediction } from '../question.ts'
import { TrackerBase } from '../tracker.ts'

const bars = 30

/** Expects a price far from its half-hour mean to return, with more confidence the more standard deviations it is away. */
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
