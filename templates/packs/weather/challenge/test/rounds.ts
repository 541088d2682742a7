import { readFileSync } from 'node:fs'
import type { ObservedDay } from '../src/index.ts'
import type { RecordedRound } from './python.ts'

const file = new URL('../../node/recordings/weather.csv', import.meta.url)

/** A round for every day of the recording: the last 30 days, and the next day's maximum as the truth. */
export const rounds: readonly RecordedRound[] = ['Seattle', 'New York'].flatMap(roundsOf)

function roundsOf(subject: string): RecordedRound[] {
  const days: ObservedDay[] = readFileSync(file, 'utf8')
    .trim()
    .split('\n')
    .map((line) => line.split(','))
    .filter((row) => row[2] === subject)
    .map((row) => ({ date: row[0]!.slice(0, 10), tempMax: Number(row[4]) }))
  return days.slice(1).map(({ tempMax }, index) => ({
    tick: { subject, days: days.slice(Math.max(0, index - 29), index + 1) },
    truth: tempMax,
  }))
}
