import { beforeEach, describe, expect, test } from 'vitest'
import { createTestLog } from '../../../test/test-log.ts'
import { createMemoryStore, type MemoryStore } from '../../adapters/store/memory/memory-store.ts'
import type { Checkpoint } from '../../domain/checkpoint.ts'
import { CrunchError } from '../../domain/errors.ts'
import type { CruncherAccounts } from '../../domain/payout/winners.ts'
import type { Payouts } from '../../ports/payout/payouts.ts'
import { checkpoint, minute, model } from '../../ports/store-samples.ts'
import { createPayouts } from './create-payouts.ts'
import type { PayoutParts } from './payout-parts.ts'

const [tx, otherTx] = [`2${'3'.repeat(87)}`, `2${'4'.repeat(87)}`]
const { id } = checkpoint(60)
const everyone: CruncherAccounts = new Map([
  [model('a').cruncherId, { wallet: 'WalletA', onchainIndex: 4 }],
  ['bob', { wallet: 'WalletB', onchainIndex: null }],
])
const [entry] = checkpoint(60).entries
const entries = [
  { ...entry!, rewardFrac64: 600_000_000 },
  { ...entry!, modelId: 'b', rewardFrac64: 400_000_000 },
]
const paying = (changes: Partial<Checkpoint> = {}, end = 60) => checkpoint(end, { entries, ...changes })
const refused = { what: 'scores', count: 2, of: 9, reason: 'score.compute failed' } as const

let store: MemoryStore
let time: number
beforeEach(async () => {
  store = createMemoryStore()
  time = minute(200)
  const named = { ...model('b'), name: 'trend', cruncherId: 'bob' }
  await store.registerModels([model('a'), named], minute(0))
})

function open(accounts: CruncherAccounts | CrunchError = everyone, parts: Partial<PayoutParts> = {}): Payouts {
  const registry = {
    place: 'crunchers.json',
    accounts: () => (accounts instanceof CrunchError ? Promise.reject(accounts) : Promise.resolve(accounts)),
  }
  return createPayouts({ store, registry, chain: null, crunch: null, now: () => time, ...parts })
}

const [gone, unmapped] = [
  new CrunchError('REGISTRY_UNAVAILABLE', 'crunchers.json: gone'),
  new Map([...everyone].slice(0, 1)),
]

describe('confirm', () => {
  test('keeps the transaction and the winners, once: the same again changes nothing, also later', async () => {
    await store.addCheckpoint(paying())
    const submitted = await open().confirm(id, tx)
    expect(submitted).toMatchObject({
      ...{ status: 'SUBMITTED', transactionId: tx, submittedAt: time },
      moves: [
        {
          to: 'SUBMITTED',
          isVerified: false,
          winners: [{ wallet: 'WalletA', onchainIndex: 4 }, { wallet: 'WalletB' }],
        },
      ],
    })
    time += 1
    // Neither the registry nor the chain is needed.
    const away = { requireFinal: () => Promise.reject(new CrunchError('CHAIN_UNAVAILABLE', 'away')) }
    expect(await open(gone, { chain: away }).confirm(id, tx)).toEqual(submitted)
    for (const status of ['CLAIMABLE', 'PAID']) await open().advance(id, status)
    expect(await open(gone).confirm(id, tx)).toMatchObject({ status: 'PAID', submittedAt: minute(200) })
    await expect(open().confirm(id, otherTx)).rejects.toMatchObject({
      code: 'CONFLICT',
      message: expect.stringContaining(`${id} is PAID, paid by the transaction ${tx}`),
    })
  })

  test.each(['', 'tx', `${tx} `, `0${tx.slice(1)}`, '5'.repeat(100_000), '\0'])(
    'refuses %.20j, which is no transaction',
    async (text) => {
      await store.addCheckpoint(paying())
      await expect(open().confirm(id, text)).rejects.toMatchObject({ code: 'BAD_REQUEST' })
      expect(await store.checkpoint(id)).toEqual(paying())
    },
  )

  test('is blocked by winners without a wallet, by their names', async () => {
    await store.addCheckpoint(paying())
    for (const ask of [() => open(unmapped).confirm(id, tx), () => open(unmapped).file(id, 'prizes-json', 5)]) {
      await expect(ask()).rejects.toMatchObject({
        code: 'NOT_MAPPED',
        message: `${id}: winners without a wallet in crunchers.json: "trend" (model b of cruncher bob)\n  fix: add their crunchers to that registry`,
      })
    }
    await expect(open(gone).confirm(id, tx)).rejects.toBe(gone)
    expect(await store.checkpoint(id)).toEqual(paying())
  })

  test('is blocked by refused scores until someone accepts them', async () => {
    await store.addCheckpoint(paying({ refusals: [refused] }))
    for (const ask of [() => open().confirm(id, tx), () => open().file(id, 'emission')]) {
      await expect(ask()).rejects.toMatchObject({ code: 'NOT_ACKNOWLEDGED' })
    }
    await store.acknowledgeCheckpoint(id, { by: 'Ada', at: time })
    expect(await open().confirm(id, tx)).toMatchObject({ status: 'SUBMITTED', acknowledged: { by: 'Ada' } })
  })

  test('refuses a transaction that pays another checkpoint, a payout that pays nobody, and an unknown id', async () => {
    await store.addCheckpoint(paying())
    await store.addCheckpoint(paying({}, 120))
    await store.addCheckpoint(checkpoint(180, { entries: [], emissionReason: 'nobody_above_floor' }))
    await open().confirm(checkpoint(120).id, tx)
    const taken = `the transaction pays ${checkpoint(120).id}`
    await expect(open().confirm(id, tx)).rejects.toMatchObject({
      code: 'CONFLICT',
      message: expect.stringContaining(taken),
    })
    await expect(open().confirm(checkpoint(180).id, otherTx)).rejects.toThrow('pays no model (nobody_above_floor)')
    await expect(open().confirm('CKP', otherTx)).rejects.toMatchObject({ code: 'NOT_FOUND' })
  })

  test('asks the chain where one is set, and keeps that it did', async () => {
    await store.addCheckpoint(paying())
    const failed = new CrunchError('NOT_VERIFIED', 'it failed')
    const chain = { requireFinal: (asked: string) => (asked === tx ? Promise.resolve() : Promise.reject(failed)) }
    await expect(open(everyone, { chain }).confirm(id, otherTx)).rejects.toBe(failed)
    expect(await store.checkpoint(id)).toEqual(paying())
    expect((await open(everyone, { chain }).confirm(id, tx)).moves[0]?.isVerified).toBe(true)
  })

  test('of many callers with two transactions keeps one, and says so to all', async () => {
    await store.addCheckpoint(paying())
    const calls = [tx, otherTx, tx, otherTx, tx].map((one) => open().confirm(id, one))
    const results = await Promise.allSettled(calls)
    const { transactionId, moves } = (await store.checkpoint(id))!
    expect(moves).toHaveLength(1)
    for (const [index, result] of results.entries()) {
      expect(result.status).toBe((index % 2 === 0 ? tx : otherTx) === transactionId ? 'fulfilled' : 'rejected')
    }
  })
})

describe('advance', () => {
  test('moves one step at a time, and the same step again changes nothing', async () => {
    await store.addCheckpoint(paying())
    await open().confirm(id, tx)
    for (const [index, status] of ['SUBMITTED', 'CLAIMABLE', 'CLAIMABLE', 'PAID', 'PAID'].entries()) {
      time = minute(300 + index)
      expect(await open().advance(id, status)).toMatchObject({ status })
    }
    const moves = (await store.checkpoint(id))?.moves.map(({ to, at }) => [to, at])
    expect(moves).toEqual([
      ['SUBMITTED', minute(200)],
      ['CLAIMABLE', minute(301)],
      ['PAID', minute(303)],
    ])
  })

  test.each([
    ['PENDING', 'SUBMITTED', 'confirm it with the transaction'],
    ['PENDING', 'CLAIMABLE', 'confirm it with the transaction'],
    ['PENDING', 'PAID', 'confirm it with the transaction'],
    ['SUBMITTED', 'PAID', 'its next status is CLAIMABLE'],
    ['SUBMITTED', 'PENDING', 'its next status is CLAIMABLE'],
    ['PAID', 'CLAIMABLE', 'it has its last status'],
  ])('from %s to %s is refused', async (status, to, fix) => {
    await store.addCheckpoint(paying({ status: status as Checkpoint['status'] }))
    await expect(open().advance(id, to)).rejects.toMatchObject({
      code: 'CONFLICT',
      message: expect.stringContaining(fix),
    })
    expect(await store.checkpoint(id)).toMatchObject({ status, moves: [] })
  })

  test.each(['', 'paid', 'DONE'])('to %j is refused, with the statuses', async (status) => {
    await expect(open().advance(id, status)).rejects.toThrow('choose one of PENDING, SUBMITTED, CLAIMABLE, PAID')
  })
})

describe('files', () => {
  test('are those of the winners, and stay so after the confirmation', async () => {
    await store.addCheckpoint(paying())
    const files = async (payouts: Payouts) => [
      await payouts.file(id, 'cli'),
      await payouts.file(id, 'emission'),
      await payouts.file(id, 'prizes-json', 10),
      await payouts.file(id, 'prizes-ndjson', 10),
    ]
    const before = await files(open())
    expect(before[0]).toContain('"crunchEmission":{"WalletA":60.0,"WalletB":40.0}')
    expect(before[1]).toContain('{"cruncher_index":0,"reward_pct":600000000,"onchain_cruncher_index":4}')
    expect(before[2]).toContain('"model":"b","prize":4}')
    expect(before[3]).toContain('"model":"b","prize":0.000004}')
    await open().confirm(id, tx)
    expect(await files(open(new Map([['bob', { wallet: 'Thief', onchainIndex: 1 }]])))).toEqual(before)
  })

  test('need a total, and a name on chain', async () => {
    await store.addCheckpoint(paying({ crunch: null }))
    for (const total of [undefined, -1, 0.5, Number.NaN]) {
      await expect(open().file(id, 'prizes-json', total)).rejects.toMatchObject({ code: 'BAD_REQUEST' })
    }
    await expect(open().file(id, 'cli')).rejects.toThrow('set CRUNCH_PUBKEY')
    expect(await open(everyone, { crunch: 'since' }).file(id, 'cli')).toContain('{"crunch":"since",')
  })
})

test('the registry is read at most twice a minute for display, and each time for money', async () => {
  await store.addCheckpoint(paying())
  let reads = 0
  const registry = {
    place: 'crunchers.json',
    accounts: async () => {
      reads += 1
      return reads === 1 ? unmapped : everyone
    },
  }
  const payouts = open(everyone, { registry })
  const problems = async () => (await payouts.winners(paying())).problem !== null
  expect([await problems(), await problems(), reads]).toEqual([true, true, 1])
  await payouts.file(id, 'emission')
  expect([await problems(), reads]).toEqual([true, 2])
  time += 30_000
  expect([await problems(), reads]).toEqual([false, 3])
})

test('winners are shown whatever the registry says, with its problem', async () => {
  const wallets = async (payouts: Payouts, one = paying()) => {
    const { winners, problem } = await payouts.winners(one)
    return [winners.map(({ wallet }) => wallet), problem]
  }
  expect(await wallets(open())).toEqual([['WalletA', 'WalletB'], null])
  expect(await wallets(open(unmapped))).toEqual([['WalletA', null], expect.stringContaining('"trend" (model b')])
  const log = createTestLog()
  expect(await wallets(open(gone, { log }))).toEqual([[null, null], 'crunchers.json: gone'])
  expect(log.lines).toMatchObject([
    { level: 'warn', message: 'wallets cannot be read', fields: { error: 'crunchers.json: gone' } },
  ])
  expect(await wallets(open(gone), checkpoint(60, { entries: [] }))).toEqual([[], null])
})
