import { silentLog } from '@crunch/coordinator-node/internal'
import type { OrchestratorLog } from '@crunch/model-orchestrator'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { hostileId, hostileModels, listModels } from './hostile-models.ts'
import { type GoodAnswers, runHostileRounds } from './hostile-rounds.ts'
import { connectHostile, type HostileSite, openHostileSite } from './hostile-site.ts'

const goodCount = 4
const generation = 1
/** A model is quarantined after several reports, each after so many failures: more only take longer. */
const failureLimit = 5
/** Generous, because this only tests that it ends; the benchmark measures how fast. */
const limitMs = 200_000

const noLog: OrchestratorLog = { info() {}, warn() {}, error() {} }

let site: HostileSite
let good: GoodAnswers

/** The hostile models join working good ones, and rounds continue until all hostile models are in quarantine. */
beforeAll(async () => {
  site = await openHostileSite(goodCount, noLog)
  const runner = await connectHostile(site.orchestrator.port, silentLog, failureLimit)
  await runner.settled()
  await listModels(site.folder, { goodCount, generation })
  const deadlineMs = performance.now() + limitMs
  const areQuarantined = () => hostileModels.every(({ name }) => statusOf(name)?.quarantined === true)
  const isOver = () => areQuarantined() || performance.now() > deadlineMs
  good = await runHostileRounds(runner, { goodCount, everyMs: 1_500, timeoutMs: 1_000, isOver })
  await runner.close()
}, limitMs + 90_000)

afterAll(() => site?.close(), 60_000)

const statusOf = (name: string) => site.orchestrator.models().find(({ id }) => id === hostileId(name, generation))

describe('hostile models', () => {
  it.each(hostileModels.map(({ name, ending }) => [name, ending] as const))(
    '%s is quarantined with its reason',
    (name, ending) => {
      const { quarantined, state, pid, lastFailure } = statusOf(name) ?? {}
      // Without the model's own output.
      const [reason] = `${lastFailure?.reason}`.split('; last lines of stderr: ')
      expect(`${lastFailure?.code}: ${reason}`).toMatch(ending)
      expect({ quarantined, state, pid }).toEqual({ quarantined: true, state: 'FAILED', pid: null })
    },
  )

  it('cause no missing answers or restarts of the good ones', () => {
    expect(good.missing).toEqual([])
    expect(good.durationsMs).toHaveLength(good.roundCount * goodCount)
    const restarts = site.orchestrator
      .models()
      .filter(({ id }) => id.startsWith('good-'))
      .map((model) => model.restarts)
    expect(restarts).toEqual(Array(goodCount).fill(0))
  })
})
