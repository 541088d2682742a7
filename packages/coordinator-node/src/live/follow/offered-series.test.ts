import { describe, expect, test } from 'vitest'
import type { FeedOffer } from '../../ports/feed-source.ts'
import { isOffered, requireOffered } from './offered-series.ts'

const exchange: readonly FeedOffer[] = [
  { source: 'exchange', subjects: ['BTCUSDT', 'ETHUSDT'], kind: 'candle', granularities: ['1m', '1h'] },
  { source: 'exchange', subjects: ['BTCUSDT'], kind: 'tick', granularities: 'any' },
]

const scope = (changes: object = {}) => ({
  ...{ source: 'exchange', subject: 'BTCUSDT', kind: 'candle', granularity: '1m', ...changes },
})

describe('the offer of a source', () => {
  test('contains each subject of each kind at each of its granularities', () => {
    expect(isOffered(exchange, scope())).toBe(true)
    expect(isOffered(exchange, scope({ kind: 'tick', granularity: '7s' }))).toBe(true)
    expect(isOffered(exchange, scope({ granularity: '5m' }))).toBe(false)
    expect(isOffered(exchange, scope({ kind: 'tick', subject: 'ETHUSDT' }))).toBe(false)
    expect(isOffered(exchange, scope({ source: 'other' }))).toBe(false)
    expect(() => requireOffered(exchange, [scope(), scope({ subject: 'ETHUSDT' })])).not.toThrow()
  })

  test('may contain any subject, if the provider cannot list them', () => {
    const offers: readonly FeedOffer[] = [{ source: 'exchange', subjects: 'any', kind: 'tick', granularities: ['1m'] }]
    expect(isOffered(offers, scope({ kind: 'tick', subject: 'whatever' }))).toBe(true)
    expect(() => requireOffered(offers, [scope({ kind: 'tick', granularity: '1s' })])).toThrow('there are 1m')
    expect(() => requireOffered(offers, [scope()])).toThrow('no kind "candle"; there are tick')
  })

  test.each([
    [{ subject: 'BTCUSD' }, 'no subject "BTCUSD"; did you mean "BTCUSDT"?'],
    [{ subject: 'gold' }, 'no subject "gold"; there are BTCUSDT, ETHUSDT'],
    [{ granularity: '5m' }, 'no granularity 5m of "candle"; there are 1m, 1h'],
    [{ kind: 'candles' }, 'no kind "candles"; did you mean "candle"?'],
    [{ kind: 'depth' }, 'no kind "depth"; there are candle, tick'],
  ])('is named in the error about a missing series: %o', (changes, cause) => {
    const asked = scope(changes)
    const key = `exchange:${asked.subject}:${asked.kind}:${asked.granularity}`
    expect(() => requireOffered(exchange, [asked])).toThrow(`no source offers the series ${key}: ${cause}`)
  })

  test('is shortened in errors if it is long, and may be empty', () => {
    const subjects = Array.from({ length: 23 }, (_, index) => `X${index * 7919}`)
    const offers: readonly FeedOffer[] = [{ source: 'exchange', subjects, kind: 'tick', granularities: 'any' }]
    const asked = scope({ kind: 'tick', subject: 'something-else' })
    expect(() => requireOffered(offers, [asked])).toThrow(/X0, X7919, .* and 3 more$/)
    expect(() => requireOffered([], [asked])).toThrow('no kind "tick"; it has none')
  })
})
