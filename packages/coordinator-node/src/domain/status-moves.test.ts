import { describe, expect, test } from 'vitest'
import { CrunchError } from './errors.ts'
import { feedScopeKey } from './feed-record.ts'
import { nearestName } from './nearest-name.ts'
import { canMovePrediction, type PredictionStatus } from './prediction.ts'
import { type Snapshot, snapshotMeans } from './snapshot.ts'

test('a prediction leaves PENDING once and never returns', () => {
  const statuses: PredictionStatus[] = ['PENDING', 'SCORED', 'FAILED', 'ABSENT']
  const moves = statuses.flatMap((from) => statuses.filter((to) => canMovePrediction(from, to)).map((to) => [from, to]))
  expect(moves).toEqual([
    ['PENDING', 'SCORED'],
    ['PENDING', 'FAILED'],
  ])
})

describe('small helpers of the domain', () => {
  test('a CrunchError has a code, a message and a cause', () => {
    const cause = new Error('refused')
    const error = new CrunchError('STORE_UNAVAILABLE', 'start the database', { cause })
    expect(error).toMatchObject({
      name: 'CrunchError',
      code: 'STORE_UNAVAILABLE',
      message: 'start the database',
      cause,
    })
    expect(error).toBeInstanceOf(Error)
  })

  test('the key of a scope contains source, subject, kind and granularity', () => {
    const scope = { source: 'binance', subject: 'BTCUSDT', kind: 'candle', granularity: '1m' }
    expect(feedScopeKey(scope)).toBe('binance:BTCUSDT:candle:1m')
  })

  test('the nearest name is suggested for a typo, and none for another word', () => {
    const known = ['schedule', 'schema', 'timeout']
    expect(nearestName('shedule', known)).toBe('schedule')
    expect(nearestName('timeouts', known)).toBe('timeout')
    expect(nearestName('emission', known)).toBeUndefined()
    expect(nearestName('schema', [])).toBeUndefined()
    expect(nearestName('x'.repeat(201), ['x'.repeat(200)])).toBeUndefined()
  })

  test('the mean of a snapshot is null without data, not zero', () => {
    const snapshot = { sums: { value: { sum: 3, count: 4 }, error: { sum: 0, count: 0 } } } as unknown as Snapshot
    expect(snapshotMeans(snapshot)).toEqual({ value: 0.75, error: null })
  })
})
