import { describe, expect, test } from 'vitest'
import { createTestLog } from '../../../test/test-log.ts'
import { createMemoryStore } from '../../adapters/store/memory/memory-store.ts'
import { candle, minute } from '../../ports/store-samples.ts'
import { readSettings } from '../settings.ts'
import { createSettlingGate, logClockFaults } from './check-clocks.ts'

/** A live worker's clocks: its own is at minute 0, the database server's is set by the test. */
function openScene(env: Record<string, string> = {}) {
  const scene = { storeAt: minute(0) }
  const store = { ...createMemoryStore(), storeTime: async () => scene.storeAt }
  const log = createTestLog()
  const clock = { now: () => minute(0), refresh: async () => minute(0), turn: async () => {} }
  return { scene, store, log, context: { store, log, clock, settings: readSettings(env) } }
}

describe('settling by a clock', () => {
  test('waits while the clock is far from that of the database server, logged once per change', async () => {
    const { scene, log, context } = openScene()
    const mayWork = createSettlingGate(context)
    expect(await mayWork()).toBe(true)
    for (const at of [minute(120), minute(-120), minute(-120)]) {
      scene.storeAt = at
      expect(await mayWork()).toBe(false)
    }
    scene.storeAt = minute(0) + 59_000
    expect(await mayWork()).toBe(true)
    expect(log.lines.map(({ level }) => level)).toEqual(['error', 'info'])
    expect(log.lines[0]?.message).toMatch(/2 h behind that of the database server.*no round is settled/)
  })

  test('ignores the skew in a replay, whose time comes from the records', async () => {
    const { scene, context } = openScene({ FEED_REPLAY_FILES: 'day.csv' })
    scene.storeAt = minute(120)
    expect(await createSettlingGate(context)()).toBe(true)
  })
})

test('a worker logs at its start that its clock is behind the stored records', async () => {
  const { store, log, context } = openScene()
  await logClockFaults(context)
  expect(log.lines).toEqual([])
  await store.appendRecords([candle(119)])
  await logClockFaults(context)
  expect(log.lines).toMatchObject([
    {
      level: 'error',
      message: expect.stringMatching(/clock is 2 h behind the newest record/),
      fields: { event: 'clock' },
    },
  ])
})
