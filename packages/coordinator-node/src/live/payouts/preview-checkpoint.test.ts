import { expect, test, vi } from 'vitest'
import { candles, createOracle, createTrend, openCompetition, steady } from '../../../test/competition.ts'
import { resolvedContract } from '../../../test/sample-contract.ts'
import { createMemoryStore } from '../../adapters/store/memory/memory-store.ts'
import { minute } from '../../ports/store-samples.ts'
import { createCheckpointPreview, type PreviewParts } from './preview-checkpoint.ts'

const payees = { crunch: null, computeProvider: null, dataProvider: null }

async function competition() {
  const store = createMemoryStore()
  const models = { oracle: createOracle(0.9), trend: createTrend(0.5), flat: steady(0.1) }
  const opened = await openCompetition({ store, models })
  const time = { ms: 0 }
  const open = (changes: Partial<PreviewParts['store']> = {}) =>
    createCheckpointPreview({
      ...{ resolved: resolvedContract(), payees, clock: opened.clock, monotonicMs: () => time.ms },
      store: { ...store, ...changes },
    })
  async function drive(from: number, to: number): Promise<void> {
    for (let count = from; count < to; count += 5) {
      await opened.drive(...candles(count, count + 4))
      await opened.pipeline.settle()
    }
  }
  return { ...opened, store, open, drive, time }
}

test('is what the checkpoint becomes, as soon as its last period is closed', async () => {
  const { drive, open, pipeline, store } = await competition()
  await drive(0, 40)
  const before = structuredClone(store.dump())
  const { checkpoint, endsAt, openRounds } = await open()()
  // Nothing is stored.
  expect(store.dump()).toEqual(before)
  expect(await pipeline.checkpoint()).toBe(1)
  const [closed] = await store.checkpoints({ limit: 1 })
  expect(checkpoint.entries.map(({ modelId }) => modelId)).toEqual(['oracle', 'trend', 'flat'])
  expect({ ...checkpoint, createdAt: 0 }).toEqual({ ...closed, createdAt: 0 })
  expect([endsAt, openRounds]).toEqual([closed?.periodEnd, []])
})

test('counts what is closed in the middle of a period, and names the open rounds in it', async () => {
  const { drive, open } = await competition()
  const empty = await open()()
  expect([empty.checkpoint.entries, empty.checkpoint.emissionReason]).toEqual([[], 'no_payable_model'])
  await drive(0, 20)
  const { checkpoint, endsAt, openRounds } = await open()()
  expect([checkpoint.periodStart, checkpoint.periodEnd, endsAt]).toEqual([minute(0), minute(20), minute(30)])
  const shares = checkpoint.entries.map(({ rewardFrac64 }) => rewardFrac64)
  expect(shares.reduce((sum, share) => sum + share, 0)).toBe(1_000_000_000)
  expect(openRounds.length).toBeGreaterThan(0)
  for (const { round } of openRounds) expect(round).toMatchObject({ status: 'RECEIVED', actuals: null })
})

test('computes once for any number of callers, a few seconds apart, and only after something has closed', async () => {
  const { drive, open, store, time } = await competition()
  await drive(0, 20)
  const reads = { totals: vi.fn(store.snapshotTotals), ends: vi.fn(store.lastPeriodEnd) }
  const preview = open({ snapshotTotals: reads.totals, lastPeriodEnd: reads.ends })
  await Promise.all([preview(), preview(), preview()])
  time.ms = 4_999
  await drive(20, 30)
  const early = await preview()
  expect([reads.ends.mock.calls.length, early.checkpoint.periodEnd]).toEqual([1, minute(20)])
  const readBefore = reads.totals.mock.calls.length
  time.ms = 5_000
  expect((await preview()).checkpoint.periodEnd).toBe(minute(30))
  expect(reads.totals.mock.calls.length).toBeGreaterThan(readBefore)
  const readAfter = reads.totals.mock.calls.length
  time.ms = 10_000
  await preview()
  expect([reads.ends.mock.calls.length, reads.totals.mock.calls.length]).toEqual([3, readAfter])
})

test('a failure is given for as long as an answer, and is not kept', async () => {
  const { drive, open, store, time } = await competition()
  await drive(0, 20)
  const read = vi.fn(store.lastPeriodEnd).mockRejectedValueOnce(new Error('cut'))
  const preview = open({ lastPeriodEnd: read })
  await expect(Promise.all([preview(), preview()])).rejects.toThrow('cut')
  await expect(preview()).rejects.toThrow('cut')
  expect(read).toHaveBeenCalledTimes(1)
  time.ms = 5_000
  expect((await preview()).checkpoint.entries).toHaveLength(3)
})
