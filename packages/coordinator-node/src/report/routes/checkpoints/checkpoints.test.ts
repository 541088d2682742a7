import { describe, expect, it } from 'vitest'
import type { CheckpointEntry } from '../../../domain/checkpoint.ts'
import { checkpoint, minute, prepare } from '../../../ports/store-samples.ts'
import { type Row, reportUnderTest } from '../../report-app.testkit.ts'

interface CheckpointRow extends Row {
  readonly id: string
  readonly entries: readonly [
    { readonly cruncher_rewards: readonly { readonly cruncher_index: number; readonly reward_pct: number }[] },
  ]
  readonly meta: {
    readonly ranking: readonly Row[]
    readonly moves: readonly Row[]
    readonly unmapped_model_ids: readonly string[]
  }
}

function entry(modelId: string, rank: number | null, rewardFrac64: number) {
  const counts = { scoreCount: 3, dueCount: 4, answeredCount: 3, validCount: 3, roundCount: 4, coverage: 0.75 }
  return {
    modelId,
    rank,
    value: rank === null ? null : 1 / rank,
    ...counts,
    rewardFrac64,
    unpaidReason: rewardFrac64 > 0 ? null : 'low_coverage',
    cruncherIndex: null,
  } as CheckpointEntry
}

async function prepared(...rows: readonly Parameters<typeof checkpoint>[]) {
  const under = reportUnderTest()
  await prepare(under.store)
  const competition = { crunchId: 'next-move', name: 'next-move' }
  const entry = { competition, structure: {}, fingerprint: 'first', codeHash: 'code', at: minute(0) }
  await under.store.enterEra(entry)
  await under.store.enterEra({ ...entry, codeHash: 'later code', at: minute(90) })
  for (const row of rows) await under.store.addCheckpoint(checkpoint(...row))
  return async (query = '') => (await under.get<CheckpointRow[]>(`/reports/checkpoints${query}`)).body
}

describe('/reports/checkpoints', () => {
  it('has the shape that the platform expects for payouts, with zoned times', async () => {
    const entries = [entry('a', 1, 600_000_000), entry('b', 2, 400_000_000), entry('gone', null, 0)]
    const get = await prepared([60, { entries, computeProvider: 'wallet' }])
    expect((await get())[0]).toEqual({
      id: 'CKP_20260301_110000.000',
      period_start: '2026-03-01T10:00:00.000Z',
      period_end: '2026-03-01T11:00:00.000Z',
      status: 'PENDING',
      entries: [
        {
          crunch: 'starter-challenge',
          cruncher_rewards: [
            { cruncher_index: 0, reward_pct: 600_000_000, onchain_cruncher_index: null },
            { cruncher_index: 1, reward_pct: 400_000_000, onchain_cruncher_index: null },
          ],
          compute_provider_rewards: [{ provider: 'wallet', reward_pct: 1_000_000_000 }],
          data_provider_rewards: [],
        },
      ],
      meta: {
        era: 1,
        contract_versions: [{ version: 1, hash: 'code', first_seen_at: '2026-03-01T10:00:00.000Z', score_count: 3 }],
        snapshot_count: 6,
        model_count: 3,
        floor: null,
        emission_reason: null,
        min_coverage: 0.5,
        ...{ refusals: [], acknowledged_by: null, acknowledged_at: null },
        moves: [],
        unmapped_model_ids: ['a', 'b'],
        registry_problem: null,
        ranking: [
          expect.objectContaining({ model_id: 'a', model_name: 'model a', cruncher_name: 'C a', rank: 1 }),
          expect.objectContaining({
            model_id: 'b',
            value: 0.5,
            result_summary: { value: 0.5 },
            reward_pct: 400_000_000,
          }),
          expect.objectContaining({
            model_id: 'gone',
            model_name: null,
            rank: null,
            value: null,
            coverage: 0.75,
            role: null,
            unpaid_reason: 'low_coverage',
          }),
        ],
      },
      created_at: '2026-03-01T11:00:00.005Z',
      tx_hash: null,
      submitted_at: null,
    })
  })

  it('pays each model at its position in the ranking, and exactly 100 %', async () => {
    const entries = [entry('a', 1, 350_000_001), entry('b', 2, 349_999_999), entry('c', 3, 300_000_000)]
    const [row] = await (await prepared([60, { entries }]))()
    const rewards = row?.entries[0].cruncher_rewards ?? []
    expect(rewards).toEqual([
      { cruncher_index: 0, reward_pct: 350_000_001, onchain_cruncher_index: null },
      { cruncher_index: 1, reward_pct: 349_999_999, onchain_cruncher_index: null },
      { cruncher_index: 2, reward_pct: 300_000_000, onchain_cruncher_index: null },
    ])
    expect(rewards.reduce((sum, reward) => sum + reward.reward_pct, 0)).toBe(1_000_000_000)
  })

  it('is ordered newest first, and accepts a status and a limit', async () => {
    const submitted = { status: 'SUBMITTED', transactionId: '5x', submittedAt: Date.UTC(2026, 2, 1, 13) } as const
    const get = await prepared([60], [120, submitted], [180])
    const hours = async (query: string) => (await get(query)).map((row) => row.id.slice(13, 15))
    expect(await hours('')).toEqual(['13', '12', '11'])
    expect(await hours('?limit=2')).toEqual(['13', '12'])
    expect(await hours('?status=PENDING')).toEqual(['13', '11'])
    expect(await hours('?status=')).toEqual(['13', '12', '11'])
    expect((await get('?status=SUBMITTED'))[0]).toMatchObject({
      tx_hash: '5x',
      submitted_at: '2026-03-01T13:00:00.000Z',
    })
    expect(await get('?status=PAID')).toEqual([])
  })

  it('shows the floor, why no model is paid, and why each model is not paid', async () => {
    const under = reportUnderTest()
    await prepare(under.store, ['a', 'flat'])
    const entries = [
      { ...entry('flat', null, 0), unpaidReason: 'baseline' },
      { ...entry('a', 1, 0), unpaidReason: 'not_above_floor' },
    ] as const
    await under.store.addCheckpoint(checkpoint(60, { entries, floor: 0.25, emissionReason: 'nobody_above_floor' }))
    const { body } = await under.get<CheckpointRow[]>('/reports/checkpoints')
    expect(body[0]?.entries[0].cruncher_rewards).toEqual([])
    expect(body[0]?.meta).toMatchObject({
      floor: 0.25,
      emission_reason: 'nobody_above_floor',
      ranking: [
        { model_id: 'flat', role: 'baseline', reward_pct: 0, unpaid_reason: 'baseline' },
        { model_id: 'a', role: 'participant', reward_pct: 0, unpaid_reason: 'not_above_floor', round_count: 4 },
      ],
    })
  })

  it('lists refused truths and scores of the period, and who acknowledged them', async () => {
    const refused = {
      what: 'scores',
      count: 2,
      of: 9,
      reason: 'score.compute failed at node/contract.ts:38: NaN',
    } as const
    const acknowledged = { by: 'Ada', at: minute(70) }
    const [row] = await (await prepared([60, { refusals: [refused], acknowledged }]))()
    const accepted = { acknowledged_by: 'Ada', acknowledged_at: '2026-03-01T11:10:00.000Z' }
    expect(row?.meta).toMatchObject({ refusals: [refused], ...accepted })
  })

  it('has the steps of its status with their times', async () => {
    const moves = [
      { to: 'SUBMITTED', at: minute(75), transactionId: '5x', isVerified: true, winners: [] },
      { to: 'CLAIMABLE', at: minute(80), transactionId: null, isVerified: null, winners: [] },
    ] as const
    const [row] = await (await prepared([60, { status: 'CLAIMABLE', moves }]))()
    expect(row?.meta.moves).toEqual([
      { to: 'SUBMITTED', at: '2026-03-01T11:15:00.000Z', tx_hash: '5x', is_verified: true },
      { to: 'CLAIMABLE', at: '2026-03-01T11:20:00.000Z', tx_hash: null, is_verified: null },
    ])
  })

  it('has no rewards when no model was ranked', async () => {
    const [row] = await (await prepared([60, { entries: [], crunch: null }]))()
    expect(row?.entries[0]).toMatchObject({ crunch: '', cruncher_rewards: [] })
  })
})
