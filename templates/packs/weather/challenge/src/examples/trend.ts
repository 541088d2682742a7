import { HistoryForecaster } from './history-forecaster.ts'

/** Extends the straight line through the last five days by one day. */
export class Trend extends HistoryForecaster {
  protected override next(history: readonly number[]): number {
    const recent = history.slice(-5)
    const middle = (recent.length - 1) / 2
    const mean = recent.reduce((sum, tempMax) => sum + tempMax, 0) / recent.length
    const squares = recent.reduce((sum, _, day) => sum + (day - middle) ** 2, 0)
    if (squares === 0) return mean
    const slope = recent.reduce((sum, tempMax, day) => sum + (day - middle) * (tempMax - mean), 0) / squares
    return mean + slope * (recent.length - middle)
  }
}
