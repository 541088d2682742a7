import { type Prediction, predictionLimits } from '../question.ts'
import { TrackerBase } from '../tracker.ts'

/** The spread assumed before there is any error to learn from, and how many errors it weighs as much as. */
const priorStd = 4
const priorWeight = 3

/** An answer when nothing has been seen yet: it commits to next to nothing. */
const unknown: Prediction = { mean: 15, std: 12 }

/**
 * A forecast that is a function of the last days. Its spread is learned by asking the same function about the days that
 * are already known: how far off would it have been?
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

/** The nearest answer that the contract allows. */
export function withinLimits(prediction: Prediction): Prediction {
  const { lowestMean, highestMean, lowestStd, highestStd } = predictionLimits
  return {
    mean: Math.min(highestMean, Math.max(lowestMean, prediction.mean)),
    std: Math.min(highestStd, Math.max(lowestStd, prediction.std)),
  }
}
