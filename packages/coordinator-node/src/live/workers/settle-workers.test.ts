import { expect, test } from 'vitest'
import { candles, openCompetition } from '../../../test/competition.ts'
import { type ContractChanges, changedContract } from '../../../test/sample-contract.ts'
import { createTestLog } from '../../../test/test-log.ts'
import { onlyEra } from '../../domain/era.ts'
import { readSettings } from '../settings.ts'
import { runCheckpointWorker } from './settle-workers.ts'

const code = { isBroken: true }
const emission = {
  name: 'own',
  shares(ranked: readonly { modelId: string }[]) {
    if (code.isBroken) throw new Error('the table of prizes is gone')
    return ranked.map(() => 100 / ranked.length)
  },
}

/** Runs a worker on an hour of the sample competition until `isOver` is true for its log lines. */
async function runUntil(
  changes: ContractChanges,
  run: typeof runCheckpointWorker,
  isOver: (message: string) => boolean,
) {
  const { store, clock, drive, pipeline } = await openCompetition({ changes })
  await drive(...candles(0, 60))
  await pipeline.settle()
  const ending = new AbortController()
  const log = createTestLog()
  const problems: (string | null | undefined)[] = []
  const note = async (message: string) => {
    const { heartbeats } = await store.pipelineProgress(clock.now())
    problems.push(heartbeats[0]?.problem)
    if (isOver(message)) ending.abort()
  }
  const observedLog: typeof log = {
    ...log,
    info(message, fields) {
      log.info(message, fields)
      void note(message)
    },
    error(message, fields) {
      log.error(message, fields)
      code.isBroken = false
      void note(message)
    },
  }
  await run({
    ...{ contract: changedContract(changes), settings: readSettings({ SCORE_INTERVAL_SECONDS: '0.01' }), store, clock },
    ...{
      era: onlyEra,
      log: observedLog,
      sources: new Map(),
      signal: ending.signal,
      ready: () => {},
      contractFolder: '.',
    },
  })
  return { lines: log.lines, problems, checkpoints: store.dump().checkpoints }
}

test('an exception in contract code does not end a worker: it is logged with its place and retried', async () => {
  const { lines, problems, checkpoints } = await runUntil(
    { checkpoint: { every: '30m', emission } },
    runCheckpointWorker,
    (message) => message === 'checkpoints were closed',
  )
  const reason = expect.stringMatching(
    /^checkpoint\.emission\.shares failed at workers\/settle-workers\.test\.ts:\d+: the table of prizes is gone$/,
  )
  expect(lines).toMatchObject([
    { level: 'error', message: 'the code of the contract failed', fields: { stage: 'checkpoint', reason } },
    { level: 'info', message: 'checkpoints were closed' },
  ])
  expect(problems).toEqual([reason, expect.anything()])
  expect(checkpoints).not.toHaveLength(0)
})
