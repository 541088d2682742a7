import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { checkpoint, model } from '../../ports/store-samples.ts'
import type { Checkpoint } from '../checkpoint.ts'
import { cliFile, emissionRow, prizeRows, prizesJson, prizesNdjson } from './payout-files.ts'
import { type CruncherAccounts, unmappedWinners, winnersOf } from './winners.ts'

/** A checkpoint with these rewards by model, best first. */
function paying(rewards: Readonly<Record<string, number>>, changes: Partial<Checkpoint> = {}): Checkpoint {
  const [entry] = checkpoint(60).entries
  const entries = Object.entries(rewards).map(([modelId, rewardFrac64]) => ({ ...entry!, modelId, rewardFrac64 }))
  return { ...checkpoint(60), id: 'CKP_20260301_000000', crunch: 'CRUNCHpubkey', entries, ...changes }
}

const models = ['m12', 'm13', 'm14'].map((id) => ({
  ...{ ...model(id), cruncherId: id === 'm14' ? 'of-m12' : `of-${id}` },
  ...{ registeredAt: 0, retirements: [] },
}))
const accounts: CruncherAccounts = new Map([
  ['of-m12', { wallet: 'WalletOne', onchainIndex: 7 }],
  ['of-m13', { wallet: 'WalletTwo', onchainIndex: null }],
])
const sixtyForty = paying({ m12: 600_000_000, none: 0, m13: 400_000_000 }, { computeProvider: 'CPwallet' })

describe('the winners of a checkpoint', () => {
  test('are its paid models with the accounts of their crunchers', () => {
    expect(winnersOf(sixtyForty, models, accounts)).toMatchObject([
      { modelId: 'm12', cruncherId: 'of-m12', wallet: 'WalletOne', onchainIndex: 7, rewardFrac64: 600_000_000 },
      { modelId: 'm13', cruncherId: 'of-m13', wallet: 'WalletTwo', onchainIndex: null },
    ])
  })

  test('are listed by name if they have no account', () => {
    const winners = winnersOf(paying({ m12: 1, m13: 1, gone: 1 }), models, new Map([...accounts].slice(0, 1)))
    expect(unmappedWinners(winners)).toEqual([
      `"${models[1]?.name}" (model m13 of cruncher of-m13)`,
      '"gone" (model gone of cruncher )',
    ])
  })

  test('of a confirmed checkpoint are those of the confirmation', () => {
    const winners = winnersOf(sixtyForty, models, accounts)
    const submit = { to: 'SUBMITTED', at: 1, transactionId: 'tx', isVerified: null, winners } as const
    expect(winnersOf({ ...sixtyForty, moves: [submit] }, models, new Map())).toBe(winners)
  })
})

test('an emission has the position in the ranking, and the index on chain in a field of its own', () => {
  expect(emissionRow(sixtyForty, winnersOf(sixtyForty, models, accounts))).toEqual({
    crunch: 'CRUNCHpubkey',
    cruncher_rewards: [
      { cruncher_index: 0, reward_pct: 600_000_000, onchain_cruncher_index: 7 },
      { cruncher_index: 2, reward_pct: 400_000_000, onchain_cruncher_index: null },
    ],
    compute_provider_rewards: [{ provider: 'CPwallet', reward_pct: 1_000_000_000 }],
    data_provider_rewards: [],
  })
})

describe('the file of the command line', () => {
  const file = (rewards: Readonly<Record<string, number>>) => {
    const one = paying(rewards)
    return cliFile(one, 'CRUNCHpubkey', winnersOf(one, models, accounts))
  }

  test('is that of the Python engine, by wallet', () => {
    expect(cliFile(sixtyForty, 'CRUNCHpubkey', winnersOf(sixtyForty, models, accounts))).toBe(
      '{"crunch":"CRUNCHpubkey","crunchEmission":{"WalletOne":60.0,"WalletTwo":40.0},"computeProvider":{"CPwallet":100.0},"dataProvider":{}}\n',
    )
  })

  test('adds up the models of a wallet, and has every unit of a reward', () => {
    expect(file({ m12: 333_333_334, m13: 333_333_333, m14: 333_333_333 })).toContain(
      '{"WalletOne":66.6666667,"WalletTwo":33.3333333}',
    )
    expect(file({ m12: 999_999_999, m13: 1 })).toContain('{"WalletOne":99.9999999,"WalletTwo":0.0000001}')
    expect(file({ m12: 1_000_000_000 })).toContain('{"WalletOne":100.0}')
    expect(file({})).toContain('"crunchEmission":{}')
  })
})

describe('prizes', () => {
  const simple = paying({ '12': 600_000_000, '13': 400_000_000 }, { periodEnd: 1_772_323_200_000 })

  test('for the web page are those of the Python engine', () => {
    expect(prizesJson(simple, 1_000_000)).toBe(
      '[{"prizeId":"CKP_20260301_000000-12","timestamp":1772323200,"model":"12","prize":600000},' +
        '{"prizeId":"CKP_20260301_000000-13","timestamp":1772323200,"model":"13","prize":400000}]\n',
    )
  })

  test('for the command line have milliseconds and decimals', () => {
    const one = paying({ model_1: 1_000_000_000 }, { periodEnd: 1_840_417_288_969 })
    expect(prizesNdjson(one, 456_780_000)).toBe('{"timestamp":1840417288969,"model":"model_1","prize":456.78}\n')
    expect(prizesNdjson(one, 1)).toContain('"prize":0.000001}')
    expect(prizesNdjson(one, 12_000_000)).toContain('"prize":12}')
    expect(prizesNdjson(one, 0)).toContain('"prize":0}')
    expect(prizesNdjson(simple, 3)).toBe(
      '{"timestamp":1772323200000,"model":"12","prize":0.000002}\n{"timestamp":1772323200000,"model":"13","prize":0.000001}\n',
    )
  })

  test('of an empty payout are none', () => {
    expect([prizesJson(paying({ a: 0 }), 5), prizesNdjson(paying({}), 5)]).toEqual(['[]\n', ''])
  })

  test('cannot be negative or have parts of a micro-unit', () => {
    for (const total of [-1, 0.5, Number.NaN, 2 ** 53]) expect(() => prizeRows(simple, total)).toThrow(RangeError)
  })
})

test('every file divides any payout exactly', () => {
  const rewards = fc.array(fc.integer({ min: 1, max: 1_000_000_000 }), { minLength: 1, maxLength: 20 })
  fc.assert(
    fc.property(rewards, fc.maxSafeNat(), (given, total) => {
      const one = paying(Object.fromEntries(given.map((reward, index) => [`m${index + 12}`, reward])))
      const sum = (amounts: readonly bigint[]) => amounts.reduce((all, amount) => all + amount, 0n)
      expect(sum(prizeRows(one, total).map(({ prize }) => BigInt(prize)))).toBe(BigInt(total))
      const tokens = [...prizesNdjson(one, total).matchAll(/"prize":(\d+)(?:\.(\d+))?}/g)]
      const micro = tokens.map(([, whole = '', part = '']) => BigInt(whole + part.padEnd(6, '0')))
      expect(sum(micro)).toBe(BigInt(total))
    }),
  )
})
