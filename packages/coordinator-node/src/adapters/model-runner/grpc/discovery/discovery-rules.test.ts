import type { Status } from '@crunch/model-protocol'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { GrpcModelRunner } from '../connect-model-runner.ts'
import { startFakeOrchestrator } from '../testing/fake-orchestrator.ts'
import type { ObjectServer } from '../testing/object-server.ts'
import { ask, call, openScene, type Scene, stateOf } from '../testing/scene.ts'

const success: Status = { code: 'SUCCESS', message: '' }

let scene: Scene

beforeEach(async () => {
  scene = await openScene()
})

afterEach(() => scene.close())

/** A model whose answer identifies its run. */
function serve(mark: string, setUp: () => Promise<Status> = async () => success): Promise<ObjectServer> {
  return scene.serve({ who: () => mark }, { setUp })
}

/** A Setup that completes when the test releases it. */
function heldSetUp() {
  let finish: (status: Status) => void = () => {}
  const status = new Promise<Status>((resolve) => {
    finish = resolve
  })
  return { setUp: () => status, finish: (result = success) => finish(result) }
}

async function whoAnswers(runner: GrpcModelRunner): Promise<Record<string, unknown>> {
  const answers = await ask(runner, [call('who')])
  return Object.fromEntries(
    Object.entries(answers).map(([id, [answer]]) => [
      id,
      answer?.status === 'answered' ? answer.output : answer?.status,
    ]),
  )
}

const ids = (runner: GrpcModelRunner) => runner.models().map(({ id }) => id)

describe('the connection to the orchestrator', () => {
  it('is renewed after a close as after a loss, and running models stay connected', async () => {
    const server = await serve('a')
    scene.orchestrator.list([stateOf('a', server.port)])
    const runner = await scene.connect()
    for (const end of ['dismiss', 'disconnect'] as const) {
      const connections = scene.orchestrator.paths.length
      scene.orchestrator[end]()
      expect(await whoAnswers(runner)).toEqual({ a: 'a' })
      await expect.poll(() => scene.orchestrator.paths.length).toBe(connections + 1)
      await expect.poll(() => runner.reachable()).toBe(true)
    }
    expect(server.setups).toBe(1)
  })

  it('is renewed when no list of models arrives', async () => {
    const mute = await startFakeOrchestrator({ lists: false })
    scene.onClose(() => mute.close())
    const runner = await scene.connect({ port: mute.port, connectTimeoutMs: 1_000, settleTimeoutMs: 100 })
    await expect.poll(() => mute.paths.length).toBeGreaterThan(1)
    expect(runner.reachable()).toBe(false)
    expect(scene.logged('model orchestrator is unreachable')).toMatchObject([
      { fields: { problem: 'no list of models within 1000 ms' } },
    ])
  })

  it('keeps its models when it is lost; models missing from the next list are no longer called', async () => {
    const [kept, gone] = [await serve('kept'), await serve('gone')]
    const late = await serve('late')
    scene.orchestrator.list([stateOf('gone', gone.port), stateOf('kept', kept.port)])
    const runner = await scene.connect()
    scene.orchestrator.list([stateOf('kept', kept.port), stateOf('late', late.port)])
    scene.orchestrator.disconnect()
    await expect.poll(() => ids(runner)).toEqual(['kept', 'late'])
    expect(kept.setups).toBe(1)
    expect(scene.orchestrator.reports).toEqual([])
  })

  it('switches to another run of a model that a new list announces', async () => {
    const [old, next] = [await serve('old'), await serve('new')]
    scene.orchestrator.list([stateOf('a', old.port)])
    const runner = await scene.connect()
    scene.orchestrator.list([stateOf('a', next.port, { deployment_id: 'a_2' })])
    scene.orchestrator.disconnect()
    await expect.poll(() => whoAnswers(runner), { timeout: 5_000 }).toEqual({ a: 'new' })
  })
})

describe('RUNNING', () => {
  it('of a run that is already being set up changes nothing', async () => {
    const { setUp, finish } = heldSetUp()
    const server = await serve('a', setUp)
    const runner = await scene.connect()
    scene.orchestrator.update(stateOf('a', server.port))
    await expect.poll(() => server.setups).toBe(1)
    scene.orchestrator.update(stateOf('a', server.port), stateOf('a', server.port))
    finish()
    await expect.poll(() => ids(runner)).toEqual(['a'])
    expect(server.setups).toBe(1)
  })

  it('of a run at another address connects to that address', async () => {
    const [old, next] = [await serve('old'), await serve('new')]
    scene.orchestrator.list([stateOf('a', old.port)])
    const runner = await scene.connect()
    scene.orchestrator.update(stateOf('a', next.port))
    await expect.poll(() => whoAnswers(runner)).toEqual({ a: 'new' })
  })

  it('of a run that has returned to its address keeps the connection', async () => {
    const { setUp, finish } = heldSetUp()
    const [old, next, other] = [await serve('old'), await serve('new', setUp), await serve('other')]
    scene.orchestrator.list([stateOf('a', old.port)])
    const runner = await scene.connect()
    scene.orchestrator.update(stateOf('a', next.port))
    await expect.poll(() => next.setups).toBe(1)
    scene.orchestrator.update(stateOf('a', old.port), stateOf('other', other.port))
    finish()
    await expect.poll(() => whoAnswers(runner)).toEqual({ a: 'old', other: 'other' })
    expect(old.setups).toBe(1)
  })

  it('of a third run aborts the set-up of the second', async () => {
    const { setUp, finish } = heldSetUp()
    const [first, second, third] = [await serve('first'), await serve('second', setUp), await serve('third')]
    scene.orchestrator.list([stateOf('a', first.port)])
    const runner = await scene.connect()
    scene.orchestrator.update(stateOf('a', second.port, { deployment_id: 'a_2' }))
    await expect.poll(() => second.setups).toBe(1)
    scene.orchestrator.update(stateOf('a', third.port, { deployment_id: 'a_3' }))
    await expect.poll(() => whoAnswers(runner)).toEqual({ a: 'third' })
    finish()
    expect(await whoAnswers(runner)).toEqual({ a: 'third' })
    expect(scene.orchestrator.reports).toEqual([])
  })

  it('of a run that cannot be set up is reported, and the old run keeps serving', async () => {
    const old = await serve('old')
    const broken = await serve('new', async () => ({ code: 'SETUP_FAILED', message: 'no weights' }))
    scene.orchestrator.list([stateOf('a', old.port)])
    const runner = await scene.connect()
    scene.orchestrator.update(stateOf('a', broken.port, { deployment_id: 'a_2' }))
    await expect
      .poll(() => scene.orchestrator.reports)
      .toMatchObject([{ model_id: 'a', failure_code: 'MULTIPLE_FAILED', ip: '127.0.0.1' }])
    expect(await whoAnswers(runner)).toEqual({ a: 'old' })
  })

  it('of a reported model sets it up again, even with the same deployment id', async () => {
    let isGood = false
    const server = await serve('a', async () => (isGood ? success : { code: 'BAD_IMPLEMENTATION', message: 'none' }))
    scene.orchestrator.list([stateOf('a', server.port)])
    const runner = await scene.connect()
    await expect.poll(() => scene.orchestrator.reports).toHaveLength(1)
    isGood = true
    scene.orchestrator.update(stateOf('a', server.port))
    await expect.poll(() => whoAnswers(runner)).toEqual({ a: 'a' })
  })
})

describe('STOPPED and RECOVERING', () => {
  it.each(['STOPPED', 'RECOVERING'] as const)(
    '%s of a run that is being set up aborts the set-up silently',
    async (state) => {
      const { setUp, finish } = heldSetUp()
      const server = await serve('a', setUp)
      const runner = await scene.connect()
      scene.orchestrator.update(stateOf('a', server.port))
      await expect.poll(() => server.setups).toBe(1)
      scene.orchestrator.update(stateOf('a', server.port, { state }))
      await expect.poll(() => scene.logged('model is no longer called')).toHaveLength(1)
      finish()
      await whoAnswers(runner)
      expect(ids(runner)).toEqual([])
      expect(scene.orchestrator.reports).toEqual([])
    },
  )

  it.each(['STOPPED', 'RECOVERING'] as const)('%s of a run other than the current one is ignored', async (state) => {
    const server = await serve('a')
    scene.orchestrator.list([stateOf('a', server.port, { deployment_id: 'a_2' })])
    const runner = await scene.connect()
    scene.orchestrator.update(stateOf('a', server.port, { state }), stateOf('b', server.port, { state }))
    scene.orchestrator.update(stateOf('c', server.port))
    await expect.poll(() => ids(runner)).toEqual(['a', 'c'])
    expect(scene.logged('model is no longer called')).toEqual([])
  })

  it('stop the old run but not its replacement', async () => {
    const { setUp, finish } = heldSetUp()
    const [old, next] = [await serve('old'), await serve('new', setUp)]
    scene.orchestrator.list([stateOf('a', old.port)])
    const runner = await scene.connect()
    scene.orchestrator.update(stateOf('a', next.port, { deployment_id: 'a_2' }))
    await expect.poll(() => next.setups).toBe(1)
    scene.orchestrator.update(stateOf('a', old.port, { state: 'STOPPED' }))
    await expect.poll(() => ids(runner)).toEqual([])
    finish()
    await expect.poll(() => whoAnswers(runner)).toEqual({ a: 'new' })
  })

  it('take effect in the order in which they arrive', async () => {
    const server = await serve('a')
    const [running, stopped] = [stateOf('a', server.port), stateOf('a', server.port, { state: 'STOPPED' })]
    const runner = await scene.connect()
    scene.orchestrator.update(running, stopped, running)
    scene.orchestrator.update(stopped, running, stopped, stateOf('end', server.port))
    await expect.poll(() => ids(runner)).toEqual(['end'])
    scene.orchestrator.update(running, stopped, running)
    await expect.poll(() => ids(runner)).toEqual(['a', 'end'])
  })
})

describe('any other state', () => {
  it('logs a warning and changes nothing', async () => {
    const server = await serve('a')
    scene.orchestrator.list([stateOf('a', server.port)])
    const runner = await scene.connect()
    scene.orchestrator.send(
      JSON.stringify({ event: 'update', data: [{ ...stateOf('a', server.port), state: 'SLEEPING' }] }),
    )
    await expect.poll(() => scene.logged('announced model ignored')).toHaveLength(1)
    expect(await whoAnswers(runner)).toEqual({ a: 'a' })
  })
})

describe('one slow Setup', () => {
  it('does not delay the start, stop or set-up of another model', async () => {
    const { setUp, finish } = heldSetUp()
    const [slow, quick, other] = [await serve('slow', setUp), await serve('quick'), await serve('other')]
    scene.orchestrator.list([stateOf('slow', slow.port), stateOf('quick', quick.port)])
    const runner = await scene.connect({ settleTimeoutMs: 100 })
    expect(await whoAnswers(runner)).toEqual({ quick: 'quick' })
    scene.orchestrator.update(stateOf('quick', quick.port, { state: 'STOPPED' }), stateOf('other', other.port))
    await expect.poll(() => whoAnswers(runner)).toEqual({ other: 'other' })
    finish()
    await expect.poll(() => whoAnswers(runner)).toEqual({ other: 'other', slow: 'slow' })
  })
})
