import { HistoryForecaster } from './history-forecaster.ts'

/** Predicts the mean of the last week. */
export class SevenDayMean extends HistoryForecaster {
  protected override next(history: readonly number[]): number {
    const week = history.slice(-7)
    return week.reduce((sum, tempMax) => sum + tempMax, 0) / week.length
  }
}
