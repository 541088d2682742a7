import { existsSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { gunzipSync } from 'node:zlib'
import { describe, expect, test } from 'vitest'
import { changedContract } from '../../test/sample-contract.ts'
import { candles } from '../index.ts'
import { minuteMs, model } from '../ports/store-samples.ts'
import { contractRecording } from '../recording/contract-recording.ts'
import { simulate } from './simulate.ts'

// Real prices are stored outside the repository, because several sets have no licence.
const folder = fileURLToPath(new URL('../../../../../shared/data/series/', import.meta.url))
const isThere = existsSync(folder)
const isRequired = process.env.CI === 'true'

type Candle = readonly [open: number, high: number, low: number, close: number, volume: number]

/** The rows of a file by the instant at which each is known, read without code of the engine. */
function readRows(name: string): ReadonlyMap<number, Candle> {
  const [, ...lines] = gunzipSync(readFileSync(`${folder}${name}`))
    .toString()
    .trim()
    .split('\n')
  return new Map(
    lines.map((line) => {
      const [at = 0, ...values] = line.split(',').map(Number)
      return [at + minuteMs, values as unknown as Candle]
    }),
  )
}

const always = { identity: model('a'), model: { tick() {}, predict: () => ({ value: 0.5 }) } }

function run(contract: Parameters<typeof simulate>[0]['contract'], names: readonly string[]) {
  const source = contractRecording(
    contract,
    names.map((name) => `${folder}${name}`),
  )
  return simulate({ contract, source, models: [always] })
}

const horizonMs = 5 * minuteMs
const expireMs = 60 * minuteMs

describe.skipIf(!isThere && !isRequired)('gates on real series (skipped where ../shared/data/series is absent)', () => {
  test('of a coin that loses its peg: frozen without trades, suspect while its price disagrees', async () => {
    const names = ['BTCUSDC', 'BTCUSD'].map((subject) => `binanceus-spot-${subject}-1m-2023-03.csv.gz`)
    const [own, other] = names.map(readRows) as [ReadonlyMap<number, Candle>, ReadonlyMap<number, Candle>]
    const times = [...own.keys()]
    const lastAt = times.at(-1) as number
    let repeated = 0
    let before = ''
    const repetitions = new Map(
      times.map((at) => {
        const values = String(own.get(at))
        repeated = values === before ? repeated + 1 : 1
        before = values
        return [at, repeated]
      }),
    )
    const closeOf = (rows: ReadonlyMap<number, Candle>, at: number) => (rows.get(at) as Candle)[3]
    const frozen = times.filter((at) => (repetitions.get(at) ?? 0) >= 15)
    const apart = times.filter((at) => Math.abs(closeOf(own, at) / closeOf(other, at) - 1) > 0.01)
    // 15 minutes without a trade, and the days of the de-peg.
    expect([times.length, frozen.length, apart.length]).toEqual([30_240, 470, 3_010])
    expect([apart[0], apart.at(-2)].map((at) => new Date(at as number).toISOString().slice(0, 10))).toEqual([
      '2023-03-11',
      '2023-03-13',
    ])
    const distrusted = new Set([...frozen, ...apart])

    const contract = changedContract({
      feed: candles({
        source: 'binanceus',
        subjects: ['BTCUSDC', 'BTCUSD'],
        granularity: '1m',
        gate: { frozenAfter: 15, agree: { with: 'BTCUSD', within: 0.01 } },
      }),
      prediction: { schedule: [{ subject: 'BTCUSDC', every: '1m', horizon: '5m' }] },
    })
    const { rows } = await run(contract, names)
    expect(rows.rounds.map(({ performedAt }) => performedAt)).toEqual(times.filter((at) => !distrusted.has(at)))
    const expired = rows.rounds.filter(({ expiresAt }) => expiresAt <= lastAt)
    const voids = expired.filter(({ voidReason }) => voidReason !== null)
    expect(voids.map(({ performedAt }) => performedAt)).toEqual(
      expired.map(({ performedAt }) => performedAt).filter((at) => distrusted.has(at + horizonMs)),
    )
    const [frozenAt, apartAt] = [new Set(frozen), new Set(apart)]
    for (const { resolvableAt, voidReason } of voids) {
      // If a series is both, `frozen` is reported.
      expect(voidReason).toMatch(frozenAt.has(resolvableAt) ? /the last 15 records/ : /differs from binanceus:BTCUSD:/)
      expect(frozenAt.has(resolvableAt) || apartAt.has(resolvableAt)).toBe(true)
    }
    const scored = new Set(rows.scores.map(({ resolvableAt }) => resolvableAt))
    expect([...scored].filter((at) => distrusted.has(at))).toEqual([])
    expect(scored.size).toBe(
      rows.rounds.filter(({ status, voidReason }) => status === 'RESOLVED' && voidReason === null).length,
    )
  }, 120_000)

  test('with two gaps: rounds that end in a gap are void, later ones are scored', async () => {
    const name = 'binance-spot-BTCUSDT-1m-2021-04.csv.gz'
    const times = [...readRows(name).keys()]
    const contract = changedContract({
      feed: candles({ source: 'binance', subjects: ['BTCUSDT'], granularity: '1m', gate: { frozenAfter: 30 } }),
    })
    const { rows } = await run(contract, [name])
    const known = new Set(times)
    // The exit price may be one minute old.
    const hasNoExit = (at: number) => !known.has(at + horizonMs) && !known.has(at + horizonMs - minuteMs)
    expect(rows.rounds.map(({ performedAt }) => performedAt)).toEqual(times)
    const lastAt = times.at(-1) as number
    const expected = times.filter((at) => at + horizonMs + expireMs <= lastAt && hasNoExit(at))
    const voids = rows.rounds.filter(({ voidReason }) => voidReason !== null)
    expect(voids.map(({ performedAt }) => performedAt)).toEqual(expected)
    // Rounds of the four minutes before the end of each gap are void, because they end in it.
    expect(voids.map(({ performedAt }) => new Date(performedAt).toISOString().slice(5, 16))).toEqual([
      ...['04-20T01:57', '04-20T01:58', '04-20T01:59', '04-20T02:00'],
      ...['04-25T03:58', '04-25T03:59', '04-25T04:00', '04-25T04:01'],
    ])
    for (const { voidReason } of voids) expect(voidReason).toMatch(/^the last value at the horizon was \d+ ms old/)
    const missed = rows.rounds.map(({ missedBefore }) => missedBefore).filter((count) => count > 0)
    expect(missed).toEqual([150, 284])
    // The hours after a gap are scored as usual.
    expect(rows.scores.length).toBe(rows.rounds.filter(({ status }) => status === 'RESOLVED').length - voids.length)
    expect(rows.rounds.length - rows.scores.length - voids.length).toBe(5)
  }, 120_000)
})
