import { beforeEach, describe, expect, it } from 'vitest'
import { changedContract } from '../../../test/sample-contract.ts'
import { createMemoryStore, type MemoryStore } from '../../adapters/store/memory/memory-store.ts'
import { checkpoint, minute } from '../../ports/store-samples.ts'
import { reportContract } from '../report-contract.ts'
import { exportCheckpoint, storedCheckpoint } from './export-checkpoint.ts'

const contract = reportContract(changedContract({}), 'organizer')
const refused = { what: 'scores', count: 2, of: 9, reason: 'score.compute failed at node/contract.ts:38: NaN' } as const
const [well, failed] = [checkpoint(60), checkpoint(120, { refusals: [refused] })]
const at = minute(130)
let store: MemoryStore

beforeEach(async () => {
  store = createMemoryStore()
})

describe('a checkpoint that is exported', () => {
  it('is the newest one, or that of an id', async () => {
    await expect(storedCheckpoint(store, contract)).rejects.toThrow('no checkpoint has closed yet')
    for (const one of [well, failed]) await store.addCheckpoint(one)
    expect(await storedCheckpoint(store, contract)).toMatchObject({ id: failed.id })
    expect(await exportCheckpoint(store, contract, { id: well.id, at })).toMatchObject({ id: well.id })
    await expect(storedCheckpoint(store, contract, 'CKP')).rejects.toThrow(
      `there is no checkpoint "CKP"; the newest ones are ${failed.id}, ${well.id}`,
    )
  })

  it('is refused, with cause and fix, when scores of its period failed, until someone accepts that: the first is kept', async () => {
    await store.addCheckpoint(failed)
    await expect(exportCheckpoint(store, contract, { at })).rejects.toThrow(
      /2 of 9 scores were refused, first: score.compute failed at node\/contract.ts:38: NaN\n {2}fix: .*--acknowledged-by YOUR_NAME/,
    )
    expect(store.dump().checkpoints).toEqual([failed])
    const accepted = { acknowledged_by: 'Ada', acknowledged_at: '2026-03-01T12:10:00.000Z' }
    await expect(exportCheckpoint(store, contract, { acknowledgedBy: ' ', at })).rejects.toMatchObject({
      code: 'NOT_ACKNOWLEDGED',
    })
    expect((await exportCheckpoint(store, contract, { acknowledgedBy: 'Ada', at })).meta).toMatchObject(accepted)
    const later = { acknowledgedBy: 'Bob', at: minute(140) }
    expect((await exportCheckpoint(store, contract, later)).meta).toMatchObject(accepted)
    expect((await exportCheckpoint(store, contract, { at: minute(150) })).meta).toMatchObject(accepted)
  })

  it('asks no one to accept what went well', async () => {
    await store.addCheckpoint(well)
    const { meta } = await exportCheckpoint(store, contract, { acknowledgedBy: 'Ada', at })
    expect(meta).toMatchObject({ refusals: [], acknowledged_by: null })
  })
})
