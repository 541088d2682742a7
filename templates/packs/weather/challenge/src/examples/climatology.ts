import type { Prediction, TickData } from '../question.ts'
import { TrackerBase } from '../tracker.ts'
import { withinLimits } from './history-forecaster.ts'

const dayMs = 86_400_000
/** How many days before and after a day of the year belong to its season. */
const seasonDays = 15
const priorStd = 8
const priorWeight = 5

interface DayOfYear {
  count: number
  sum: number
  squares: number
}

interface StationHistory {
  /** The newest counted day, so that a day contained in several ticks counts once. */
  newestDate: string
  readonly days: Map<number, DayOfYear>
}

/**
 * Predicts the average of this time of the year, from the data that this model has received. In its first year that is little
 * more than the last two weeks. It keeps only three sums per day of the year.
 */
export class Climatology extends TrackerBase {
  readonly #stations = new Map<string, StationHistory>()

  override tick(data: TickData): void {
    super.tick(data)
    const station = this.#stations.get(data.subject) ?? { newestDate: '', days: new Map() }
    this.#stations.set(data.subject, station)
    for (const { date, tempMax } of data.days) {
      if (date <= station.newestDate) continue
      station.newestDate = date
      const key = dayOfYear(date)
      const day = station.days.get(key) ?? { count: 0, sum: 0, squares: 0 }
      station.days.set(key, {
        count: day.count + 1,
        sum: day.sum + tempMax,
        squares: day.squares + tempMax ** 2,
      })
    }
  }

  override predict(subject: string): Prediction {
    const station = this.#stations.get(subject)
    if (station === undefined || station.newestDate === '') return { mean: 15, std: 12 }
    const season = seasonOf(station.days, dayOfYear(station.newestDate) + 1)
    const mean = season.sum / season.count
    const variance = Math.max(0, season.squares / season.count - mean ** 2)
    const learned = priorWeight * priorStd ** 2 + season.count * variance
    return withinLimits({ mean, std: Math.sqrt(learned / (priorWeight + season.count)) })
  }
}

/** Counted from 0; the last day of a leap year is 365. */
function dayOfYear(date: string): number {
  const at = Date.parse(`${date}T00:00:00Z`)
  return Math.round((at - Date.parse(`${date.slice(0, 4)}-01-01T00:00:00Z`)) / dayMs)
}

/** Sums over the days around a day of the year. They include the newest known day, so the count is never 0. */
function seasonOf(days: ReadonlyMap<number, DayOfYear>, centre: number): DayOfYear {
  const season = { count: 0, sum: 0, squares: 0 }
  for (let offset = -seasonDays; offset <= seasonDays; offset++) {
    const day = days.get((centre + offset + 366) % 366)
    if (day === undefined) continue
    season.count += day.count
    season.sum += day.sum
    season.squares += day.squares
  }
  return season
}
