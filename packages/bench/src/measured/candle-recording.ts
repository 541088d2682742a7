import { existsSync } from 'node:fs'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

export const candleCount = 50_000

/** Real prices are stored outside the repository. */
const recorded = fileURLToPath(
  new URL('../../../../../shared/data/series/binance-spot-BTCUSDT-1m-2025-01.csv.gz', import.meta.url),
)

export interface CandleRecording {
  readonly path: string
  /** Origin of the prices, for readers of the results. */
  readonly origin: string
}

/** One-minute BTC candles: recorded ones if available, else synthetic ones of the same shape, written into `folder`. */
export async function findCandleRecording(folder: string): Promise<CandleRecording> {
  if (existsSync(recorded)) return { path: recorded, origin: 'recorded candles: binance-spot-BTCUSDT-1m-2025-01' }
  const path = join(folder, 'made-BTCUSDT-1m.csv')
  await writeFile(path, madeCandles())
  return { path, origin: 'synthetic candles (a random walk), because the recorded ones are not available' }
}

function madeCandles(): string {
  const rows = ['ts_ms,open,high,low,close,volume']
  let state = 1
  // Park and Miller's generator, so that the random walk is the same on every machine.
  const random = () => {
    state = (state * 48_271) % 2_147_483_647
    return state / 2_147_483_647
  }
  let price = 94_000
  for (let index = 0; index < candleCount; index += 1) {
    const open = price
    price *= 1 + (random() - 0.5) * 0.002
    const high = Math.max(open, price) * (1 + random() * 0.0005)
    const low = Math.min(open, price) * (1 - random() * 0.0005)
    const prices = [open, high, low, price].map((value) => value.toFixed(2))
    rows.push([1_735_700_400_000 + index * 60_000, ...prices, (random() * 20).toFixed(5)].join(','))
  }
  return `${rows.join('\n')}\n`
}
