import { HistoryForecaster } from './history-forecaster.ts'

/** Tomorrow is like the last week on average. */
export class SevenDayMean extends HistoryForecaster {
  protected override next(history: readonly number[]): number {
    const week = history.slice(-7)
    return week.reduce((sum, tempMax) => sum + tempMax, 0) / week.length
  }
}
