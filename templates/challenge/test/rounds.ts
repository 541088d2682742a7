import type { RecordedRound } from './python.ts'

/** The number of closes in a tick. */
const bars = 120

/** Rounds as on the node, from the closes of one subject; the truth is the return five bars later. */
export function roundsOf(subject: string, closes: readonly number[]): RecordedRound[] {
  return closes.slice(0, -5).map((close, index) => ({
    tick: { subject, closes: closes.slice(Math.max(0, index + 1 - bars), index + 1) },
    truth: closes[index + 5]! / close - 1,
  }))
}

/** Rising, falling, jumping and constant markets; prices with two decimals, as on an exchange. */
export const rounds: readonly RecordedRound[] = [
  ...roundsOf('BTCUSDT', market(100_000)),
  ...roundsOf('ETHUSDT', market(3_000)),
]

function market(start: number): number[] {
  let price = start
  return Array.from({ length: 700 }, (_, minute) => {
    const drift = Math.floor(minute / 100) % 3
    if (drift < 2) price *= 1 + (drift - 0.5) * 0.001 * Math.sin(minute * minute)
    if (minute === 350) price *= 1.2
    return Math.round(price * 100) / 100
  })
}
