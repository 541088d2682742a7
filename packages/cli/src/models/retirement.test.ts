import { type Orchestrator, startOrchestrator } from '@crunch/model-orchestrator'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { createWorkspace, KEY, rememberingLog, until } from '../../../model-orchestrator/test/workspace.ts'
import { openRounds } from './rounds.testkit.ts'

// A real orchestrator and coordinator, with models in their own processes.

const model = (predict: string) => `
class TrackerBase {}
export class Model extends TrackerBase {
  tick() {}
  predict() { ${predict} }
}`

let space: Awaited<ReturnType<typeof createWorkspace>>
let orchestrator: Orchestrator
const cleanups: (() => unknown)[] = []
beforeEach(async () => {
  space = await createWorkspace()
  cleanups.push(() => space.remove())
})
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup()
})

const entry = (id: string, submission: string, cruncher = `cruncher-${id}`) => ({
  id,
  submission_id: submission,
  desired_state: 'RUNNING',
  cruncher_id: cruncher,
})

async function open(entries: readonly Readonly<Record<string, string>>[]) {
  await space.submission('steady', model('return { value: 0.5 }'))
  await space.submission('dies', model('process.exit(3)'))
  await space.models(entries)
  orchestrator = await startOrchestrator({
    crunchId: 'weather',
    port: 0,
    apiKey: KEY,
    modelsFile: space.modelsFile,
    submissionsDirectory: space.submissions,
    baseClassName: 'tracker.TrackerBase',
    confinement: { namespaces: 'off' },
    pollMs: 50,
    restart: { initialDelayMs: 2_000, maxDelayMs: 2_000, maxQuickFailures: 2 },
    log: rememberingLog(),
  })
  cleanups.push(() => orchestrator.close())
  await orchestrator.settled()
  const rounds = await openRounds(orchestrator.port)
  cleanups.push(rounds.close)
  return rounds
}

it('a removed and a quarantined model have no rows from their next round on; a crashed one has rows', async () => {
  const { runner, store, round, connected } = await open([
    entry('1', 'steady'),
    entry('2', 'steady'),
    entry('3', 'dies'),
    entry('4', 'steady'),
  ])
  await until('all are set up', connected('1,2,3,4'))
  expect(await round()).toEqual([
    '1 PENDING null',
    '2 PENDING null',
    expect.stringMatching(/^3 ABSENT /),
    '4 PENDING null',
  ])
  process.kill(orchestrator.models()[1]?.pid ?? 0, 'SIGKILL')
  await space.models([entry('2', 'steady'), entry('3', 'dies'), entry('4', 'steady')])
  await until('1 is removed, 2 and 3 have crashed', () => connected('4')() && runner.retirementOf('1'))
  expect(await round()).toEqual(['2 ABSENT not_running', '3 ABSENT not_running', '4 PENDING null'])
  await until('2 and 3 run again', connected('2,3,4'))
  expect(await round()).toEqual(['2 PENDING null', expect.stringMatching(/^3 ABSENT /), '4 PENDING null'])
  await until('3 is in quarantine', () => runner.retirementOf('3'))
  expect(await round()).toEqual(['2 PENDING null', '4 PENDING null'])
  const reasons = (await store.models()).map(
    ({ id, retirements }) => `${id} ${retirements.map(({ reason }) => reason)}`,
  )
  expect(reasons).toEqual([
    '1 it was removed: the model orchestrator no longer lists it',
    '2 ',
    expect.stringMatching(/^3 it is in quarantine: STOP_UNEXPECTED: /),
    '4 ',
  ])
  await space.submission('mended', model('return { value: 0.5 }'))
  await space.models([entry('2', 'steady'), entry('3', 'mended'), entry('4', 'steady')])
  await until('3 is back', connected('2,3,4'))
  expect(await round()).toEqual(['2 PENDING null', '3 PENDING null', '4 PENDING null'])
}, 120_000)

it('an id that an operator gives to another cruncher in the models file has no rows', async () => {
  const { round, connected, store, runner } = await open([entry('1', 'steady'), entry('2', 'steady')])
  await until('both are set up', connected('1,2'))
  expect(await round()).toEqual(['1 PENDING null', '2 PENDING null'])
  await space.models([entry('1', 'steady', 'eve'), entry('2', 'steady')])
  await until('it is announced', () => runner.models()[0]?.cruncherId === 'eve')
  expect(await round()).toEqual(['2 PENDING null'])
  await store.reassignModel('1', 'eve', 0)
  await round()
  expect(await round()).toEqual(['1~2 PENDING null', '2 PENDING null'])
}, 120_000)
