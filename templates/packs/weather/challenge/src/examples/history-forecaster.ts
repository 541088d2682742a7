import { type Prediction, predictionLimits } from '../question.ts'
import { TrackerBase } from '../tracker.ts'

/** The spread assumed before any error is known, and how many errors it counts as. */
const priorStd = 4
const priorWeight = 3

/** The answer without data: a very wide distribution. */
const unknown: Prediction = { mean: 15, std: 12 }

/**
 * A forecast that is a function of the last days. Its spread is the typical error of the same function on the days that
 * are already known.
 */
export abstract class HistoryForecaster extends TrackerBase {
  /** The next day's maximum from the days before it, oldest first; there is at least one. */
  protected abstract next(history: readonly number[]): number

  override predict(subject: string): Prediction {
    const history = this.dataOf(subject)?.days.map((day) => day.tempMax) ?? []
    if (history.length === 0) return unknown
    return withinLimits({ mean: this.next(history), std: this.spread(history) })
  }

  protected spread(history: readonly number[]): number {
    let squares = priorWeight * priorStd ** 2
    for (let day = 1; day < history.length; day++) {
      squares += (history[day]! - this.next(history.slice(0, day))) ** 2
    }
    return Math.sqrt(squares / (priorWeight + history.length - 1))
  }
}

/** The nearest answer within the limits of the contract. */
export function withinLimits(prediction: Prediction): Prediction {
  const { lowestMean, highestMean, lowestStd, highestStd } = predictionLimits
  return {
    mean: Math.min(highestMean, Math.max(lowestMean, prediction.mean)),
    std: Math.min(highestStd, Math.max(lowestStd, prediction.std)),
  }
}
