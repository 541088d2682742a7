import { ServingStatus } from '@crunch/model-protocol'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { ask, call, openScene, type Scene, stateOf } from './testing/scene.ts'

const anew = 'model is being reconnected'

let scene: Scene

beforeEach(async () => {
  scene = await openScene()
})

afterEach(() => scene.close())

/** Answers only the first call. */
function hangsAfterOne() {
  let calls = 0
  return {
    echo(text: string) {
      calls += 1
      return calls === 1 ? text : new Promise(() => {})
    },
  }
}

describe('a model that does not answer in time', () => {
  it('has its health checked at each fifth of the limit, and its time-outs count while it is SERVING', async () => {
    const server = await scene.serve(hangsAfterOne())
    scene.orchestrator.list([stateOf('a', server.port)])
    const runner = await scene.connect({ timeoutLimit: 10 })
    const before: number[] = []
    for (let round = 0; round < 12; round += 1) {
      await ask(runner, [call('echo', 'x')], 500)
      before.push(server.healthChecks)
    }
    expect(before.slice(0, 4)).toEqual([0, 0, 0, expect.any(Number)])
    await expect.poll(() => scene.orchestrator.reports).toMatchObject([{ failure_code: 'MULTIPLE_TIMEOUT' }])
    expect(server.healthChecks).toBe(5)
    expect(scene.orchestrator.reports[0]!.failure_reason).toMatch(
      /^no answer in time 11 times in a row, over \d+ s; the last call was echo \((busy|timeout): .+\)$/,
    )
    expect(scene.logged(anew)).toEqual([])
    expect(server.setups).toBe(1)
  })

  it.each([
    ['is not serving', async () => ServingStatus.NOT_SERVING],
    ['does not answer the health check', () => new Promise<ServingStatus>(() => {})],
  ])('is reconnected and set up again when its runner %s, without being counted or reported', async (_, health) => {
    let isWell = false
    const server = await scene.serve(
      { echo: (text: string) => (isWell ? text : new Promise((resolve) => setTimeout(resolve, 60))) },
      { health },
    )
    const quick = await scene.serve({ echo: (text: string) => text })
    scene.orchestrator.list([stateOf('a', server.port), stateOf('quick', quick.port)])
    const runner = await scene.connect({ timeoutLimit: 5 })
    await ask(runner, [call('echo', 'x')], 20)
    await ask(runner, [call('echo', 'x')], 20)
    // The check takes as long as a call may; the others are called meanwhile.
    expect((await ask(runner, [call('echo', 'x')], 5_000)).quick).toMatchObject([{ output: 'x' }])
    await expect.poll(() => server.setups, { timeout: 5_000 }).toBe(2)
    isWell = true
    await expect
      .poll(async () => (await ask(runner, [call('echo', 'y')], 1_000)).a, { timeout: 5_000 })
      .toMatchObject([{ output: 'y' }])
    expect(scene.logged(anew)).toMatchObject([{ fields: { modelId: 'a', deploymentId: 'a_1' } }])
    expect(scene.orchestrator.reports).toEqual([])
  })

  it('is reported as unreachable when its runner is gone and Setup fails too', async () => {
    const server = await scene.serve({ echo: (text: string) => text })
    scene.orchestrator.list([stateOf('a', server.port)])
    const runner = await scene.connect({ timeoutLimit: 5, setupAttempts: 2, connectTimeoutMs: 50 })
    server.crash()
    for (let round = 0; round < 2; round += 1) await ask(runner, [call('echo', 'x')])
    await expect.poll(() => scene.logged(anew)).toHaveLength(1)
    expect(runner.models()).toEqual([])
    await expect
      .poll(() => scene.orchestrator.reports)
      .toMatchObject([
        {
          failure_code: 'CONNECTION_FAILED',
          failure_reason: expect.stringMatching(/^no Setup in 2 attempts: no connection within 50 ms: .*ECONNREFUSED/),
        },
      ])
  })

  it('is given up although each health check fails, because reconnections are limited', async () => {
    const server = await scene.serve(
      { echo: () => new Promise((resolve) => setTimeout(resolve, 40)) },
      { health: async () => ServingStatus.NOT_SERVING },
    )
    scene.orchestrator.list([stateOf('a', server.port)])
    const runner = await scene.connect({ timeoutLimit: 1 })
    await expect
      .poll(
        async () => {
          await ask(runner, [call('echo', 'x')], 20)
          return scene.orchestrator.reports
        },
        { timeout: 10_000 },
      )
      .toMatchObject([{ failure_code: 'MULTIPLE_TIMEOUT' }])
    expect(scene.logged(anew)).toHaveLength(3)
  })

  it('is not reconnected while its replacement is being set up', async () => {
    const old = await scene.serve(
      { echo: () => new Promise(() => {}) },
      { health: async () => ServingStatus.NOT_SERVING },
    )
    let finishSetUp: () => void = () => {}
    const setUp = new Promise<void>((resolve) => {
      finishSetUp = resolve
    })
    const next = await scene.serve(
      { echo: (text: string) => text },
      { setUp: () => setUp.then(() => ({ code: 'SUCCESS', message: '' })) },
    )
    scene.orchestrator.list([stateOf('a', old.port)])
    const runner = await scene.connect({ timeoutLimit: 5 })
    scene.orchestrator.update(stateOf('a', next.port, { deployment_id: 'a_2' }))
    await expect.poll(() => next.setups).toBe(1)
    for (let round = 0; round < 2; round += 1) await ask(runner, [call('echo', 'x')], 20)
    await expect.poll(() => old.healthChecks).toBe(1)
    finishSetUp()
    await expect.poll(() => runner.models()).toMatchObject([{ deploymentId: 'a_2' }])
    expect(scene.logged(anew)).toEqual([])
    expect(old.setups).toBe(1)
  })
})
