import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type Node, openNode } from '../src/deployment.ts'
import { changeContract, keepModels } from '../src/edit-workspace.ts'
import { type SecondMarket, startSecondMarket, symbols } from '../src/second-market.ts'
import { takeTestWorkspace } from '../src/test-workspace.ts'
import { until } from '../src/until.ts'
import type { UserWorkspace } from '../src/workspace.ts'

// The realtime pack with one-second instead of one-minute candles, on a local exchange.

const secondMs = 1_000
const models = ['momentum', 'flat']

interface Health {
  readonly status: string
  readonly reasons: readonly string[]
}

describe('a competition on live data', () => {
  let workspace: UserWorkspace
  let node: Node
  let market: SecondMarket
  let env: Record<string, string>

  beforeAll(async () => {
    market = await startSecondMarket()
    workspace = await takeTestWorkspace('realtime')
    node = await openNode(workspace)
    await keepModels(node.directory, models)
    await changeContract(node.directory, [
      ["granularity: '1m'", "granularity: '1s'"],
      ["timeout: '10s'", "timeout: '2s'"],
    ])
    env = {
      FEED_BINANCE_REST_URL: market.exchange.restUrl,
      FEED_BINANCE_STREAM_URL: market.exchange.streamUrl,
      FEED_BACKFILL_MINUTES: '5',
      SCORE_INTERVAL_SECONDS: '1',
    }
  })
  afterAll(async () => {
    await workspace?.remove()
    await market?.close()
  })

  const health = async () => (await node.api('/healthz')) as Health

  test('streams, predicts, scores and ranks', async () => {
    const deployed = await node.crunch(['deploy', '--detach'], env)
    expect(deployed.exitCode, `${deployed.stdout}\n${deployed.stderr}`).toBe(0)
    await until('a leaderboard', 120_000, async () => {
      const ranks = (await node.api('/reports/leaderboard')) as readonly object[]
      return ranks.length === models.length
    })
    expect(await health()).toMatchObject({ status: 'ok', reasons: [] })
    const feeds = (await node.api('/reports/feeds')) as readonly Record<string, unknown>[]
    expect(feeds.map(({ subject, status }) => [subject, status])).toEqual(symbols.map((symbol) => [symbol, 'up']))
    // Five minutes of history, and the records since.
    for (const { record_count } of feeds) expect(record_count).toBeGreaterThan(300)
  })

  test('reports since when and why it opens no rounds while the exchange is down, and recovers by itself', async () => {
    market.isOpen = false
    for (const connection of market.exchange.connections) await connection.cut()
    const cutAt = Date.now()
    await until('a degraded health', 120_000, async () => (await health()).status === 'degraded')
    // The first reason is the broken connection. From the first refused attempt on, the reason stays the same.
    const isRefused = (reason: string) => reason.includes('answered 503')
    let reasons: readonly string[] = []
    await until('the refusal as the reason of both feeds', 120_000, async () => {
      reasons = (await health()).reasons
      return reasons.length === 2 && reasons.every(isRefused)
    })
    for (const reason of reasons) expect(reason).toMatch(/^feed binance:\w+:candle:1s is (down|stale) since \S+: \S/)
    const status = await node.crunch(['status'])
    expect(status.stdout).toContain('health: degraded')
    expect(status.stdout).toContain(reasons[0])
    await until('more candles at the exchange', 120_000, async () => market.publishedAt > cutAt + 4 * secondMs)
    const before = await roundInstants()
    expect(before.filter((at) => at > cutAt)).toEqual([])

    market.isOpen = true
    await until('a good health', 120_000, async () => (await health()).status === 'ok')
    await until('rounds again', 120_000, async () => (await roundInstants()).length > before.length)
    // Missed records were filled: no second is missing.
    const feeds = (await node.api('/reports/feeds')) as readonly Record<string, string | number>[]
    for (const { record_count, oldest_ts, newest_ts } of feeds) {
      expect(record_count).toBe((Date.parse(String(newest_ts)) - Date.parse(String(oldest_ts))) / secondMs + 1)
    }
    const down = await node.crunch(['down'])
    expect(down.exitCode, down.stderr).toBe(0)
  })

  async function roundInstants(): Promise<readonly number[]> {
    const rows = (await node.api('/reports/predictions?limit=1000')) as readonly { performed_at: string }[]
    return [...new Set(rows.map(({ performed_at }) => Date.parse(performed_at)))]
  }
})
