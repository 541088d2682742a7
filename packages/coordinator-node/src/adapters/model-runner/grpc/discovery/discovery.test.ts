import { once } from 'node:events'
import { createServer } from 'node:http'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { startFakeOrchestrator } from '../testing/fake-orchestrator.ts'
import { ask, call, openScene, type Scene, stateOf } from '../testing/scene.ts'

class Echo {
  readonly mark: string

  constructor(mark = '') {
    this.mark = mark
  }

  echo(text: string): string {
    return this.mark + text
  }
}

const unreachable = 'model orchestrator is unreachable'
const connected = 'model orchestrator is connected'

let scene: Scene

beforeEach(async () => {
  scene = await openScene()
})

afterEach(() => scene.close())

describe('announcements', () => {
  it('asks for the models of one competition', async () => {
    await scene.connect({ crunchId: 'weather-2' })
    expect(scene.orchestrator.paths).toEqual(['/weather-2'])
  })

  it('stops calling a model that is STOPPED or RECOVERING', async () => {
    const server = await scene.serve(new Echo())
    scene.orchestrator.list([stateOf('a', server.port), stateOf('b', server.port)])
    const runner = await scene.connect()
    scene.orchestrator.update(stateOf('a', server.port, { state: 'STOPPED', ip: null, port: null }))
    await expect.poll(() => runner.models().map(({ id }) => id)).toEqual(['b'])
    scene.orchestrator.update(stateOf('b', server.port, { state: 'RECOVERING' }))
    await expect.poll(() => runner.models()).toEqual([])
    scene.orchestrator.update(stateOf('b', server.port))
    await expect.poll(() => runner.models().map(({ id }) => id)).toEqual(['b'])
  })

  it('keeps calling the old run until its replacement is set up, and ignores the late STOPPED of the old one', async () => {
    let finishSetUp: () => void = () => {}
    const setUp = new Promise<void>((resolve) => {
      finishSetUp = resolve
    })
    const old = await scene.serve(new Echo('old '))
    const next = await scene.serve(new Echo('new '), {
      setUp: () => setUp.then(() => ({ code: 'SUCCESS', message: '' })),
    })
    scene.orchestrator.list([stateOf('a', old.port)])
    const runner = await scene.connect()
    scene.orchestrator.update(stateOf('a', next.port, { deployment_id: 'a_2' }))
    await expect.poll(() => next.setups).toBe(1)
    expect((await ask(runner, [call('echo', 'x')])).a).toMatchObject([{ output: 'old x' }])
    finishSetUp()
    await expect.poll(() => runner.models()).toMatchObject([{ deploymentId: 'a_2' }])
    scene.orchestrator.update(stateOf('a', old.port, { state: 'STOPPED' }))
    scene.orchestrator.update(stateOf('other', next.port))
    await expect.poll(() => runner.models().map(({ id }) => id)).toEqual(['a', 'other'])
    expect((await ask(runner, [call('echo', 'x')])).a).toMatchObject([{ output: 'new x' }])
  })

  it('does not blame a model for being away while its replacement is set up', async () => {
    let finishSetUp: () => void = () => {}
    const setUp = new Promise<void>((resolve) => {
      finishSetUp = resolve
    })
    const old = await scene.serve(new Echo())
    const next = await scene.serve(new Echo(), {
      setUp: () => setUp.then(() => ({ code: 'SUCCESS', message: '' })),
    })
    scene.orchestrator.list([stateOf('a', old.port)])
    const runner = await scene.connect()
    scene.orchestrator.update(
      stateOf('a', next.port, { deployment_id: 'a_2' }),
      stateOf('a', old.port, { state: 'STOPPED' }),
    )
    await expect.poll(() => runner.models()).toEqual([])
    expect(runner.excuseOf('a')).toMatchObject({ reason: 'not_running', detail: expect.stringContaining('replaced') })
    finishSetUp()
    await expect.poll(() => runner.models()).toMatchObject([{ deploymentId: 'a_2' }])
    expect(runner.excuseOf('a')).toBeNull()
  })

  it('takes the newest of two runs in a list', async () => {
    const server = await scene.serve(new Echo())
    scene.orchestrator.list([stateOf('a', server.port), stateOf('a', server.port, { deployment_id: 'a_2' })])
    const runner = await scene.connect()
    expect(runner.models()).toMatchObject([{ deploymentId: 'a_2' }])
    expect(server.setups).toBe(1)
  })

  it.each([
    { other: 'a_2', state: 'STOPPED' },
    { other: 'a_0', state: 'STOPPED' },
    { other: 'a_1', state: 'STOPPED' },
    { other: 'a_2', state: 'RECOVERING' },
  ] as const)(
    'keeps the running deployment when $other of the same model is listed as $state',
    async ({ other, state }) => {
      const server = await scene.serve(new Echo())
      const running = stateOf('a', server.port, { deployment_id: 'a_1' })
      const ended = stateOf('a', server.port, { deployment_id: other, state })
      scene.orchestrator.list([running, ended])
      const runner = await scene.connect()
      expect(runner.models()).toMatchObject([{ deploymentId: 'a_1' }])
      expect(runner.excuseOf('a')).toBeNull()
      const connections = scene.orchestrator.paths.length
      scene.orchestrator.list([ended, running])
      scene.orchestrator.disconnect()
      await expect.poll(() => scene.orchestrator.paths.length).toBe(connections + 1)
      await expect.poll(() => runner.reachable()).toBe(true)
      expect(runner.models()).toMatchObject([{ deploymentId: 'a_1' }])
      expect(server.setups).toBe(1)
    },
  )

  it('abandons the set-up of a model that is stopped meanwhile, silently', async () => {
    const server = await scene.serve(new Echo(), { setUp: () => new Promise(() => {}) })
    const runner = await scene.connect()
    scene.orchestrator.update(stateOf('a', server.port))
    await expect.poll(() => server.setups).toBe(1)
    scene.orchestrator.update(stateOf('a', server.port, { state: 'STOPPED' }))
    await expect.poll(() => scene.logged('model is no longer called')).toHaveLength(1)
    expect(runner.models()).toEqual([])
    expect(scene.orchestrator.reports).toEqual([])
  })

  it('notifies listeners of a new name without setting the model up again', async () => {
    const server = await scene.serve(new Echo())
    scene.orchestrator.list([stateOf('a', server.port)])
    const runner = await scene.connect()
    const names: string[] = []
    const stop = runner.onModel(({ name }) => names.push(name))
    const { infos } = stateOf('a', server.port)
    scene.orchestrator.update(stateOf('a', server.port))
    scene.orchestrator.update(stateOf('a', server.port, { infos: { ...infos, model_name: 'better name' } }))
    await expect.poll(() => names).toEqual(['model a', 'better name'])
    stop()
    scene.orchestrator.update(stateOf('a', server.port, { infos: { ...infos, model_name: null, cruncher_name: null } }))
    await expect.poll(() => runner.models()).toMatchObject([{ name: 'a', cruncherName: 'cruncher-a' }])
    expect(names).toHaveLength(2)
    expect(server.setups).toBe(1)
  })

  it('notifies listeners of a model that is announced later', async () => {
    const runner = await scene.connect()
    const seen: string[] = []
    runner.onModel(({ id }) => seen.push(id))
    const server = await scene.serve(new Echo())
    scene.orchestrator.update(stateOf('late', server.port))
    await expect.poll(() => seen).toEqual(['late'])
  })

  it('survives malformed messages and accepts the valid entries of a partly malformed list', async () => {
    const server = await scene.serve(new Echo())
    const runner = await scene.connect()
    for (const text of ['', 'hello', '[]', '{"event":"update"}', '{"event":"update","data":{}}', '{"event":"party"}']) {
      scene.orchestrator.send(text)
    }
    const broken = { ...stateOf('broken', server.port), port: 'eighty' }
    scene.orchestrator.send(JSON.stringify({ event: 'update', data: [null, broken, stateOf('good', server.port)] }))
    await expect.poll(() => runner.models().map(({ id }) => id)).toEqual(['good'])
    expect(scene.logged('discovery message ignored')).toHaveLength(6)
    expect(scene.logged('announced model ignored')).toHaveLength(2)
    expect(runner.reachable()).toBe(true)
  })

  it('does not treat missing models as stopped when the list has a malformed entry', async () => {
    const server = await scene.serve(new Echo())
    scene.orchestrator.list([stateOf('a', server.port)])
    const runner = await scene.connect()
    scene.orchestrator.send(JSON.stringify({ event: 'init', data: [{ model_id: 'a' }] }))
    scene.orchestrator.send(
      JSON.stringify({ event: 'init', data: [stateOf('a', server.port), stateOf('b', server.port)] }),
    )
    await expect.poll(() => runner.models().map(({ id }) => id)).toEqual(['a', 'b'])
    expect(scene.logged('model is no longer called')).toEqual([])
    scene.orchestrator.send(JSON.stringify({ event: 'init', data: [stateOf('b', server.port)] }))
    await expect.poll(() => runner.models().map(({ id }) => id)).toEqual(['b'])
  })

  it('accepts a port given as a string', async () => {
    const server = await scene.serve(new Echo())
    const runner = await scene.connect()
    scene.orchestrator.send(
      JSON.stringify({
        event: 'update',
        data: [{ ...stateOf('a', server.port), port: String(server.port), ip: 'localhost' }],
      }),
    )
    await expect.poll(() => runner.models().map(({ id }) => id)).toEqual(['a'])
  })

  it('logs an error when the orchestrator refuses the competition', async () => {
    const fatal: string[] = []
    await scene.connect({ onFatal: ({ message }) => fatal.push(message) })
    scene.orchestrator.send('{"error":"crunch_id is required"}')
    await expect
      .poll(() => fatal)
      .toEqual(['the model orchestrator refuses CRUNCH_ID "next-move": crunch_id is required'])
  })
})

describe('an unreachable orchestrator', () => {
  it('is retried, and each change of its state is logged once', async () => {
    const { port } = scene.orchestrator
    await scene.orchestrator.close()
    const runner = await scene.connect({ settleTimeoutMs: 200 })
    expect(runner.reachable()).toBe(false)
    expect(runner.models()).toEqual([])
    expect(await runner.dispatch([call('echo', 'x')], 1_000)).toEqual([])
    const server = await scene.serve(new Echo())
    const late = await startFakeOrchestrator({ port, states: [stateOf('a', server.port)] })
    scene.onClose(() => late.close())
    await expect.poll(() => runner.models().map(({ id }) => id), { timeout: 5_000 }).toEqual(['a'])
    expect(runner.reachable()).toBe(true)
    expect(scene.lines.filter(({ message }) => message === unreachable || message === connected)).toMatchObject([
      { level: 'warn', message: unreachable },
      { level: 'info', message: connected },
    ])
  })

  it('does not stop calls to running models; a model that dies meanwhile is not blamed', async () => {
    const [steady, dying] = [await scene.serve(new Echo()), await scene.serve(new Echo())]
    const { port } = scene.orchestrator
    scene.orchestrator.list([stateOf('dying', dying.port), stateOf('steady', steady.port)])
    const runner = await scene.connect({ timeoutLimit: 1 })
    await scene.orchestrator.close()
    await expect.poll(() => runner.reachable()).toBe(false)
    dying.crash()
    for (let round = 0; round < 3; round += 1) {
      const answers = await ask(runner, [call('echo', 'x')])
      expect(answers.steady).toMatchObject([{ output: 'x' }])
      expect(answers.dying).toMatchObject([{ status: 'absent', reason: 'not_running', blame: 'coordinator' }])
    }
    const back = await startFakeOrchestrator({ port, states: [stateOf('steady', steady.port)] })
    scene.onClose(() => back.close())
    await expect.poll(() => runner.models().map(({ id }) => id), { timeout: 5_000 }).toEqual(['steady'])
    expect(steady.setups).toBe(1)
    expect(back.reports).toEqual([])
  })

  it('receives the queued reports about deployments that still run once it is back', async () => {
    const [first, second] = [await scene.serve(new Echo()), await scene.serve(new Echo())]
    const { port } = scene.orchestrator
    scene.orchestrator.list([stateOf('kept', first.port), stateOf('replaced', second.port)])
    const runner = await scene.connect()
    await scene.orchestrator.close()
    await expect.poll(() => runner.reachable()).toBe(false)
    await ask(runner, [call('missing')])
    expect(runner.models()).toEqual([])
    const states = [stateOf('kept', first.port), stateOf('replaced', second.port, { deployment_id: 'replaced_2' })]
    const back = await startFakeOrchestrator({ port, states })
    scene.onClose(() => back.close())
    await expect
      .poll(() => back.reports, { timeout: 5_000 })
      .toMatchObject([{ model_id: 'kept', failure_code: 'BAD_IMPLEMENTATION' }])
  })

  it('is detected when it stops answering pings', async () => {
    const mute = await startFakeOrchestrator({ answersPings: false })
    scene.onClose(() => mute.close())
    const runner = await scene.connect({ port: mute.port, keepaliveMs: 50 })
    await expect.poll(() => mute.paths.length, { timeout: 5_000 }).toBeGreaterThan(1)
    expect(scene.logged(unreachable)[0]).toMatchObject({ fields: { problem: 'no message or pong for 50 ms' } })
    await runner.close()
  })

  it('is not reported while the connection answers pings', async () => {
    const runner = await scene.connect({ keepaliveMs: 10 })
    await expect.poll(() => scene.orchestrator.pings).toBeGreaterThan(5)
    expect(runner.reachable()).toBe(true)
    expect(scene.orchestrator.paths).toHaveLength(1)
  })

  it('is logged with the reason when another server listens at its address', async () => {
    const server = createServer((_, response) => response.writeHead(404).end()).listen(0, '127.0.0.1')
    await once(server, 'listening')
    scene.onClose(() => server.close())
    const address = server.address()
    if (address === null || typeof address === 'string') throw new Error('no port')
    const runner = await scene.connect({ port: address.port, settleTimeoutMs: 100 })
    expect(runner.reachable()).toBe(false)
    expect(scene.logged(unreachable)).toMatchObject([{ fields: { problem: 'Unexpected server response: 404' } }])
  })
})

describe('settings', () => {
  it.each([
    [{ host: ' ' }, 'host of the model orchestrator is empty'],
    [{ port: 70_000 }, '70000 is not a port'],
    [{ crunchId: '' }, '"" is not a competition id'],
    [{ crunchId: 'a/b' }, '"a/b" is not a competition id'],
    [{ baseClassName: 'TrackerBase' }, 'write module.ClassName'],
    [{ setupTimeoutMs: 0 }, 'setupTimeoutMs is 0'],
    [{ maxOutputBytes: 2 ** 27 }, 'at most 67108864'],
    [{ maxHeldBytes: 1_000 }, 'maxHeldBytes is 1000: it must be at least 4 times maxOutputBytes'],
    [{ connectTimeoutMs: Number.NaN }, 'connectTimeoutMs is NaN'],
  ])('that are invalid prevent the start: %o', async (wrong, message) => {
    await expect(scene.connect(wrong)).rejects.toMatchObject({
      code: 'SETTINGS_INVALID',
      message: expect.stringContaining(message),
    })
  })
})
