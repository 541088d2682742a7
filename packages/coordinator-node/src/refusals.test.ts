import { expect, test } from 'vitest'
import { candles, openCompetition } from '../test/competition.ts'
import type { ContractChanges } from '../test/sample-contract.ts'
import { changedContract } from '../test/sample-contract.ts'
import { resolveContract } from './contract/resolved-contract.ts'
import { standingStill } from './domain/progress/standing-still.ts'
import { candle, eth, minute } from './ports/store-samples.ts'

// Rounds open every minute and resolve after five; snapshots every 10 minutes, checkpoints every 30.

const grid = { ...resolveContract(changedContract({})), workEveryMs: 5_000, isReplay: true }

/** A competition whose contract throws while `isBroken`, with its health reasons. */
async function breaking(changesOf: (isBroken: () => boolean) => ContractChanges) {
  let isBroken = true
  const opened = await openCompetition({ changes: changesOf(() => isBroken) })
  return {
    ...opened,
    mend: () => {
      isBroken = false
    },
    async alarms() {
      await opened.pipeline.settle()
      await opened.pipeline.checkpoint()
      const progress = { ...(await opened.store.pipelineProgress(opened.clock.now())), heartbeats: [], feeds: [] }
      const found = standingStill(grid, progress, opened.clock.now(), { since: 0, forMs: 0 })
      return found
        .filter(({ key }) => /^(inputs|truths|scores) /.test(key))
        .map(({ what, since, heldUpBy }) => [what, (since - minute(0)) / 60_000, heldUpBy])
    },
  }
}

const here = 'at src/refusals\\.test\\.ts:\\d+'

test('scores that fail are an alarm, with the line of the code, until a round is scored again', async () => {
  const { drive, alarms, mend, store } = await breaking((isBroken) => ({
    score: {
      compute: ({ output }: { output: { value: number } }) => ({
        value: isBroken() ? Number.NaN : output.value,
        hit: true,
      }),
    },
  }))
  await drive(...candles(0, 7))
  const reason = expect.stringMatching(
    new RegExp(`^score\\.compute ${here} returned what score\\.schema refuses: value`),
  )
  expect(await alarms()).toEqual([['6 of 6 scores of "BTCUSDT-5m" failed', 6, reason]])
  mend()
  await drive(...candles(8, 8))
  expect(await alarms()).toEqual([])
  await drive(...candles(9, 40))
  await alarms()
  expect(store.dump().checkpoints).toMatchObject([{ refusals: [{ what: 'scores', count: 6, of: 48, reason }] }])
})

test('truths that the contract refuses are an alarm while their rounds still wait', async () => {
  const { drive, alarms, mend } = await breaking((isBroken) => ({
    truth: {
      expire: '2h',
      resolve: () => {
        if (isBroken()) throw new Error('no such field')
        return { return: 1 }
      },
    },
  }))
  await drive(...candles(0, 7))
  const reason = expect.stringMatching(new RegExp(`^truth\\.resolve failed ${here}: no such field$`))
  expect(await alarms()).toEqual([['3 rounds of "BTCUSDT-5m" have no truth', 6, reason]])
  mend()
  expect(await alarms()).toEqual([])
})

test('inputs that the contract refuses are an alarm until a round opens', async () => {
  const { drive, alarms, mend } = await breaking((isBroken) => ({
    input: { build: () => (isBroken() ? {} : { subject: 'BTCUSDT', closes: [1] }) },
  }))
  await drive(...candles(0, 2))
  const reason = expect.stringMatching(/^input\.build returned what input\.schema refuses: subject/)
  // For a series without a round, nothing is missing.
  await drive(candle(2, { close: 1 }, eth))
  expect(await alarms()).toEqual([['3 inputs of "BTCUSDT-5m" could not be built, so no round opens', 1, reason]])
  mend()
  await drive(...candles(3, 3))
  expect(await alarms()).toEqual([])
})
