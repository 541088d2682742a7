import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { backtest } from '../src/backtest.ts'
import { Coin, Flat, MeanReversion, Momentum, VolatilityScaled } from '../src/index.ts'

let folder: string
let recording: string

/** A day of one-minute candles of BTC: hours of rising and falling prices in turn. */
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'backtest-'))
  recording = join(folder, 'BTCUSDT-1m.csv')
  const rows = ['ts_ms,open,high,low,close,volume']
  let price = 100_000
  for (let minute = 0; minute < 24 * 60; minute++) {
    const open = price
    price *= 1 + (Math.floor(minute / 60) % 2 === 0 ? 0.0004 : -0.0004) + 0.0001 * Math.sin(minute)
    const at = Date.UTC(2025, 0, 1) + minute * 60_000
    rows.push([at, open, Math.max(open, price), Math.min(open, price), price, 1].join(','))
  }
  writeFileSync(recording, `${rows.join('\n')}\n`)
})
afterAll(() => rmSync(folder, { recursive: true, force: true }))

function run() {
  return backtest({
    recordings: [recording],
    models: {
      coin: new Coin(),
      flat: new Flat(),
      'mean-reversion': new MeanReversion(),
      momentum: new Momentum(),
      'volatility-scaled': new VolatilityScaled(),
    },
  })
}

test('ranks every model if the recording has only one of the two subjects', async () => {
  const { leaderboard, counts } = await run()
  expect(counts.rounds).toBe(24 * 60)
  expect(counts.voidRounds).toBe(0)
  const entries = leaderboard?.entries ?? []
  const flat = entries.find((entry) => entry.modelId === 'flat')
  expect(entries.flatMap((entry) => (entry === flat ? [] : [entry.rank]))).toEqual([1, 2, 3, 4])
  expect(flat).toMatchObject({ rank: null, unrankedReason: 'baseline' })
  expect(entries.map((entry) => entry.coverage)).toEqual([1, 1, 1, 1, 1])
  expect(entries[0]?.modelId).toBe('momentum')
  expect(flat?.windows.recent).toBe(0)
}, 120_000)

test('gives the same digest twice', async () => {
  expect((await run()).digest).toBe((await run()).digest)
}, 120_000)
