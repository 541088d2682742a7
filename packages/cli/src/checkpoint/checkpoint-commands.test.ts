import { appendFile, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { createTestDatabase, type TestDatabase } from '@crunch/embedded-postgres/test-database'
import { afterAll, beforeAll, expect, it, test } from 'vitest'
import { type Checkpoint, openStore, type Store } from '../engine.ts'
import { openWeatherWorkspace, type WeatherWorkspace } from '../local-model/weather-workspace.fixture.ts'
import { onlyOne } from './move-checkpoint.ts'

const [wallet, tx] = ['EPjFWdd5AufqSSqeM2qN1xzybapC8G4wEGGkZwyTDt1v', `2${'3'.repeat(87)}`]
const day = 86_400_000

let workspace: WeatherWorkspace
let database: TestDatabase
let store: Store

/** A checkpoint of the n-th day of 2026, which pays the models a and b. */
function paying(n: number, changes: Partial<Checkpoint> = {}): Checkpoint {
  const periodEnd = Date.UTC(2026, 0, 1) + n * day
  const counts = { scoreCount: 3, dueCount: 4, answeredCount: 3, validCount: 3, roundCount: 4, coverage: 0.75 }
  const entry = (modelId: string, rank: number, rewardFrac64: number) => ({
    ...{ modelId, rank, value: 1 / rank, ...counts, rewardFrac64, unpaidReason: null, cruncherIndex: null },
  })
  return {
    ...{ id: `CKP_${n}`, era: 1, periodStart: periodEnd - day, periodEnd, status: 'PENDING', snapshotCount: 1 },
    ...{ contractVersions: {}, entries: [entry('a', 1, 600_000_000), entry('b', 2, 400_000_000)], floor: null },
    ...{ emissionReason: null, refusals: [], acknowledged: null, crunch: 'CRUNCHpubkey', computeProvider: null },
    ...{ dataProvider: null, transactionId: null, submittedAt: null, moves: [], createdAt: periodEnd, ...changes },
  }
}

beforeAll(async () => {
  workspace = await openWeatherWorkspace(1)
  database = await createTestDatabase()
  await appendFile(join(workspace.directory, 'node/.env'), `DATABASE_URL="${database.url}"\n`)
  store = await openStore({ url: database.url })
  await store.enterEra({
    ...{
      competition: { crunchId: 'crunch-template', name: 'weather' },
      structure: {},
      fingerprint: 'f',
      codeHash: 'c',
    },
    at: Date.UTC(2026, 0, 1),
  })
  const identity = { deploymentId: 'd', cruncherName: 'someone' }
  const models = [
    { id: 'a', name: 'trend', cruncherId: 'alice', ...identity },
    { id: 'b', name: 'mean', cruncherId: 'bob', ...identity },
  ]
  await store.registerModels(models, Date.UTC(2026, 0, 1))
  await store.addCheckpoint(paying(2))
})

afterAll(async () => {
  await store?.close()
  await database?.drop()
  await workspace?.remove()
})

const run = (...argv: readonly string[]) => workspace.run(['checkpoint', ...argv])
const file = (name: string) => readFile(join(workspace.directory, name), 'utf8')
const register = (...ids: readonly string[]) =>
  writeFile(
    join(workspace.directory, 'node/crunchers.json'),
    JSON.stringify({ crunchers: ids.map((id) => ({ id, wallet, index: 7 })) }),
  )

it('takes a payout to the chain: winners without a wallet block it, files, confirmation and steps', async () => {
  const missing = 'node/crunchers.json: the file does not exist'
  expect((await run('show')).out).toContain(missing)
  expect(await run('export', '--format', 'cli')).toMatchObject({ exitCode: 1, err: expect.stringContaining(missing) })
  await register('alice')
  for (const argv of [
    ['export', '--format', 'cli'],
    ['confirm', tx],
  ]) {
    expect((await run(...argv)).err).toContain(
      'winners without a wallet in node/crunchers.json: "mean" (model b of cruncher bob)',
    )
  }
  // Without --format, the whole checkpoint is exported; that needs no wallets.
  expect((await run('export')).exitCode).toBe(0)
  expect(JSON.parse(await file('CKP_2.json'))).toMatchObject({ id: 'CKP_2', tx_hash: null })

  await register('alice', 'bob')
  expect((await run('show')).out).toMatch(new RegExp(`mean +│ bob +│ ${wallet} +│ 7 +│ 40\\.00 %`))
  for (const format of ['cli', 'emission']) expect((await run('export', '--format', format)).err).toBe('')
  expect(await file('CKP_2.cli.json')).toContain(`"crunchEmission":{"${wallet}":100.0}`)
  expect(JSON.parse(await file('CKP_2.emission.json')).cruncher_rewards).toEqual([
    { cruncher_index: 0, reward_pct: 600_000_000, onchain_cruncher_index: 7 },
    { cruncher_index: 1, reward_pct: 400_000_000, onchain_cruncher_index: 7 },
  ])
  for (const format of ['prizes-json', 'prizes-ndjson']) {
    expect((await run('export', '--format', format, '--total-prize', '999')).err).toBe('')
  }
  expect(JSON.parse(await file('CKP_2.prizes.json'))).toMatchObject([
    { model: 'a', prize: 599 },
    { model: 'b', prize: 400 },
  ])
  expect(await file('CKP_2.prizes.ndjson')).toBe(
    '{"timestamp":1767398400000,"model":"a","prize":0.000599}\n{"timestamp":1767398400000,"model":"b","prize":0.0004}\n',
  )

  expect((await run('advance', 'CLAIMABLE')).err).toContain('no checkpoint is SUBMITTED')
  // Without an id, a checkpoint without a payout is not chosen.
  await store.addCheckpoint(paying(1, { entries: [], emissionReason: 'nobody_above_floor' }))
  const confirmed = await run('confirm', tx)
  expect(confirmed.out).toMatch(
    /^CKP_2: SUBMITTED\nSUBMITTED since .*, paid by the transaction 23.* \(not looked up on chain/,
  )
  expect((await run('confirm', tx)).out).toBe(confirmed.out)
  expect((await run('confirm', tx.replace('2', '3'), 'CKP_2')).err).toContain(
    'CKP_2 is SUBMITTED, paid by the transaction',
  )
  expect((await run('advance', 'PAID', 'CKP_2')).err).toContain('its next status is CLAIMABLE')
  expect((await run('advance', 'CLAIMABLE')).out).toMatch(/^CKP_2: CLAIMABLE\n/)
  expect((await run('advance', 'PAID')).out.split('\n')).toHaveLength(4)
  expect((await run('list')).out).toMatch(/CKP_2 +│ PAID +│ .* │ 2 +│ 23/)
  const again = await run('export', '--format', 'cli', '--out', 'again.json')
  expect(again.err).toBe('warning: CKP_2 is PAID: a transaction has paid it already')
}, 120_000)

it('accepts refused scores once, by name, for files and confirmation', async () => {
  await register('alice', 'bob')
  const refusals = [{ what: 'scores', count: 2, of: 9, reason: 'score.compute failed' }] as const
  await store.addCheckpoint(paying(3, { refusals }))
  for (const argv of [
    ['confirm', `3${tx.slice(1)}`],
    ['export', '--format', 'cli'],
  ]) {
    expect((await run(...argv)).err).toContain('crunch checkpoint export CKP_3 --acknowledged-by YOUR_NAME')
  }
  expect((await run('export', '--format', 'cli', '--acknowledged-by', 'Ada')).exitCode).toBe(0)
  expect((await run('confirm', `3${tx.slice(1)}`)).exitCode).toBe(0)
})

it.each([
  [['export', '--format', 'clj'], 1, 'did you mean cli?'],
  [['export', '--format', 'prizes-json'], 1, 'add it, in micro-units'],
  [['export', '--format', 'cli', '--total-prize', '1'], 1, 'cli has no prizes'],
  [['export', '--total-prize', '1'], 1, 'a whole checkpoint has no prizes'],
  [['export', '--format', 'prizes-json', '--total-prize', '1.5'], 2, '1000000 is one USDC'],
  [['export', '--format', 'prizes-json', '--total-prize', '-1'], 2, '1000000 is one USDC'],
  [['confirm', 'tx', 'CKP_2'], 1, 'the id of the transaction has'],
  [['confirm', tx.replace('2', '4'), 'CKP'], 1, 'there is no checkpoint "CKP"'],
  [['advance', 'DONE', 'CKP_2'], 1, 'choose one of PENDING, SUBMITTED, CLAIMABLE, PAID'],
])('crunch checkpoint %j is refused', async (argv, exitCode, problem) => {
  expect(await run(...argv)).toMatchObject({ exitCode, err: expect.stringContaining(problem) })
})

test('a command guesses no checkpoint among several', () => {
  const many = ['x', 'y'].map((id) => ({ id, status: 'PENDING' as const }))
  expect(onlyOne(many.slice(0, 1), 'PENDING', 'confirm')).toBe('x')
  expect(() => onlyOne(many, 'PENDING', 'confirm')).toThrow(
    '2 checkpoints are PENDING\n  fix: add the id of the one to confirm: x, y',
  )
  expect(() => onlyOne(many, 'PAID', 'advance')).toThrow('no checkpoint is PAID')
})
