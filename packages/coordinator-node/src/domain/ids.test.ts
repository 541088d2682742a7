import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { checkpointId, leaderboardId, predictionId, roundId, scoreId, snapshotId } from './ids.ts'

const at = Date.UTC(2026, 2, 5, 12, 0, 0, 123)

describe('ids', () => {
  test('are derived from what they identify', () => {
    const round = roundId('BTCUSDT-5m', at)
    expect(round).toBe('INP_BTCUSDT-5m_20260305_120000.123')
    expect(predictionId('model-1', round)).toBe(`PRE_model-1_${round}`)
    expect(scoreId(predictionId('model-1', round))).toBe(`SCR_PRE_model-1_${round}`)
    expect(snapshotId('model-1', at)).toBe('SNAP_model-1_20260305_120000.123')
    expect(leaderboardId(at)).toBe('LBR_20260305_120000.123')
    expect(checkpointId(at)).toBe('CKP_20260305_120000.123')
  })

  test('differ for names that differ only in characters that an id cannot contain', () => {
    const names = ['btc/usdt', 'btc_usdt', 'btc usdt', 'btc~2f~usdt', 'btc\u00e9', 'btc\u{1f680}', 'btc\ud83d', 'btc']
    expect(new Set(names.map((name) => roundId(name, at))).size).toBe(names.length)
  })

  test('of different models, schedules or instants never collide', () => {
    const name = fc.oneof(
      fc.string({ unit: 'binary', maxLength: 6 }),
      fc.string({ unit: fc.constantFrom('_', '~', '5', 'f', 'INP'), maxLength: 6 }),
    )
    const key = fc.tuple(name, name, fc.integer({ min: at, max: at + 3 }))
    fc.assert(
      fc.property(key, key, (left, right) => {
        const [leftId, rightId] = [left, right].map(([model, schedule, instant]) =>
          predictionId(model, roundId(schedule, instant)),
        )
        expect(leftId === rightId).toBe(JSON.stringify(left) === JSON.stringify(right))
      }),
      { numRuns: 2_000 },
    )
  })

  test('are safe in file names, URLs and logs', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (name) => {
        expect(snapshotId(name, at)).toMatch(/^[A-Za-z0-9._~-]+$/)
      }),
    )
  })
})
