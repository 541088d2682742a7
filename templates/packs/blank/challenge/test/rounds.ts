import { readFileSync } from 'node:fs'
import type { RecordedRound } from './python.ts'

const values = readFileSync(new URL('../../node/recordings/values.csv', import.meta.url), 'utf8')
  .trim()
  .split('\n')
  .slice(1)
  .map((line) => Number(line.split(',')[3]))

/** A round for every hour of the recording: the last two days, and the next hour's value as the truth. */
export const rounds: readonly RecordedRound[] = values.slice(1).map((truth, index) => ({
  tick: { subject: 'example', values: values.slice(Math.max(0, index - 47), index + 1) },
  truth,
}))
