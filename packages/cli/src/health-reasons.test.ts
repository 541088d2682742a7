import { expect, it } from 'vitest'
import { healthReasons } from './health-reasons.ts'

it('shows every reason of an unhealthy node, with control characters escaped', () => {
  const feed = 'feed binance:BTCUSDT:candle:1m is down since 2026-01-01T00:00:00.000Z: getaddrinfo ENOTFOUND'
  expect(healthReasons({ status: 'degraded', reasons: [feed, 'two\u001b[2J'] })).toEqual([
    feed,
    expect.not.stringContaining('\u001b'),
  ])
  expect(healthReasons({ status: 'ok', reasons: [] })).toEqual([])
  expect(healthReasons({})).toEqual([])
})
