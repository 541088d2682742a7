import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { CallResponse, VariantType } from '@crunch/model-protocol'
import { modelRunnerCommand } from '@crunch/model-runner'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { freePort } from '../../../../test/free-port.ts'
import { answerLimits } from '../../../domain/answer-size.ts'
import { RawAnswer } from './testing/object-server.ts'
import { ask, call, openScene, type Scene, stateOf } from './testing/scene.ts'

class Echo {
  echo(text: string): string {
    return text
  }
}

const tableOfPandas = '../../../../../model-protocol/test/fixtures/predictions.parquet'

let scene: Scene

beforeEach(async () => {
  scene = await openScene()
})

afterEach(() => scene.close())

async function listOne(id: string, model: object, options?: Parameters<Scene['serve']>[1]) {
  const server = await scene.serve(model, options)
  scene.orchestrator.list([stateOf(id, server.port)])
  return server
}

describe('malformed answers', () => {
  it.each([
    ['bytes that are not a message', Buffer.from([0x0a, 0xff, 0xff, 0xff, 0xff, 0x0f])],
    ['no bytes at all', Buffer.alloc(0)],
    ['an unknown status', encodeAnswer('GREAT_SUCCESS', VariantType.JSON, '1')],
    ['invalid JSON', encodeAnswer('SUCCESS', VariantType.JSON, '{"value":')],
    ['a DOUBLE of 3 bytes', encodeAnswer('SUCCESS', VariantType.DOUBLE, 'abc')],
    ['a type that is not supported', encodeAnswer('SUCCESS', VariantType.ARROW, 'ARROW1')],
    ['an invalid table', encodeAnswer('SUCCESS', VariantType.PARQUET, 'PAR1')],
    ['text that is not UTF-8', encodeAnswer('SUCCESS', VariantType.STRING, Buffer.from([0xff, 0xfe]))],
  ])('are the invalid output of the model: %s', async (_, bytes) => {
    await listOne('a', { garbage: () => new RawAnswer(bytes), echo: (text: string) => text })
    const runner = await scene.connect()
    const { a } = await ask(runner, [call('garbage'), call('echo', 'x')])
    expect(a).toMatchObject([
      { status: 'failed', reason: 'invalid_output', blame: 'model', durationMs: expect.any(Number) },
      { status: 'answered', output: 'x' },
    ])
  })

  it('passes on NaN and infinities of a Python model: the schema decides about them', async () => {
    const bytes = encodeAnswer('SUCCESS', VariantType.JSON, '{"value": NaN, "low": -Infinity}')
    await listOne('a', { predict: () => new RawAnswer(bytes) })
    const runner = await scene.connect()
    const { a } = await ask(runner, [call('predict')])
    expect(a).toMatchObject([{ status: 'answered', output: { value: Number.NaN, low: Number.NEGATIVE_INFINITY } }])
  })

  it('decodes a table of a Python model into rows', async () => {
    const table = await readFile(new URL(tableOfPandas, import.meta.url))
    await listOne('a', { predict: () => new RawAnswer(encodeAnswer('SUCCESS', VariantType.PARQUET, table)) })
    const runner = await scene.connect()
    const { a } = await ask(runner, [call('predict')])
    expect(a).toMatchObject([{ status: 'answered', output: [{ subject: 'BTCUSDT', value: 0.5 }, {}, {}] }])
  })

  it('reads 50 MB from one model without delaying another', async () => {
    const big = JSON.stringify(Array.from({ length: 5_000_000 }, (_, index) => 100_000_000 + index))
    const bytes = encodeAnswer('SUCCESS', VariantType.JSON, big)
    expect(bytes.length).toBeGreaterThan(48_000_000)
    const quick = await scene.serve(new Echo())
    const huge = await scene.serve({ echo: () => new RawAnswer(bytes) })
    scene.orchestrator.list([stateOf('huge', huge.port), stateOf('quick', quick.port)])
    const runner = await scene.connect({ maxOutputBytes: 64 * 1024 * 1024, answerLimits: answerLimits(1e9) })
    const answers = await ask(runner, [call('echo', 'x')], 30_000)
    expect(answers.quick).toMatchObject([{ status: 'answered', output: 'x' }])
    expect(answers.huge![0]).toMatchObject({ status: 'answered' })
    expect(answers.quick![0]!.durationMs).toBeLessThan(answers.huge![0]!.durationMs!)
  })

  it.each([
    ['the default', 50, {}],
    ['the maximum that models can send', 65, { maxOutputBytes: 64 * 1024 * 1024 }],
  ])('refuses more than %s, and keeps calling the model', async (_, megabytes, limits) => {
    await listOne('a', { predict: () => 'x'.repeat(megabytes * 1024 * 1024), echo: (text: string) => text })
    const runner = await scene.connect(limits)
    const { a } = await ask(runner, [call('predict'), call('echo', 'x')], 30_000)
    expect(a).toMatchObject([
      { status: 'failed', reason: 'output_too_large', blame: 'model' },
      { status: 'answered', output: 'x' },
    ])
  })

  it('refuses huge answers beyond the budget, blaming the coordinator, and still reads small ones', async () => {
    const huge = { echo: () => 'x'.repeat(2 * 1024 * 1024) }
    const servers = await Promise.all([1, 2, 3, 4].map(() => scene.serve(huge)))
    const quick = await scene.serve(new Echo())
    const states = servers.map(({ port }, index) => stateOf(`huge-${index}`, port))
    scene.orchestrator.list([...states, stateOf('quick', quick.port)])
    const mebibyte = 1024 * 1024
    const runner = await scene.connect({ maxOutputBytes: 3 * mebibyte, maxHeldBytes: 12 * mebibyte, failureLimit: 1 })
    for (let round = 0; round < 3; round += 1) {
      const { quick: small, ...others } = await ask(runner, [call('echo', 'x')], 30_000)
      expect(small).toMatchObject([{ output: 'x' }])
      const answers = Object.values(others).flat()
      // 6 MiB are shared, and each model has 1.2 MiB reserved.
      expect(answers.filter(({ status }) => status === 'answered')).toHaveLength(2)
      expect(answers.filter(({ status }) => status !== 'answered')).toMatchObject([
        { status: 'absent', reason: 'no_room', blame: 'coordinator', durationMs: expect.any(Number) },
        { status: 'absent', reason: 'no_room', blame: 'coordinator', durationMs: expect.any(Number) },
      ])
    }
    expect(runner.models()).toHaveLength(5)
  })

  it('distinguishes a forbidden answer from a busy model', async () => {
    await listOne('a', { predict: () => 'x'.repeat(2_000) }, { maxSendBytes: 1_000 })
    const runner = await scene.connect()
    expect((await ask(runner, [call('predict')])).a).toMatchObject([{ status: 'failed', reason: 'output_too_large' }])
  })
})

describe('a model that is given up', () => {
  it('is reported and no longer called when it lacks a method', async () => {
    await listOne('a', new Echo())
    const runner = await scene.connect()
    await ask(runner, [call('predict')])
    await expect
      .poll(() => scene.orchestrator.reports)
      .toEqual([
        {
          model_id: 'a',
          failure_code: 'BAD_IMPLEMENTATION',
          failure_reason: 'predict ended with bad_implementation: Method "predict" not found in class "Echo"',
          ip: '127.0.0.1',
        },
      ])
    expect(runner.models()).toEqual([])
  })

  it('is reported after too many failing calls in a row', async () => {
    const predict = (text: string) => (text === 'x' ? text : Promise.reject(new Error('no luck')))
    await listOne('a', { predict })
    const runner = await scene.connect({ failureLimit: 3 })
    const [good, bad] = [call('predict', 'x'), call('predict', 'y')]
    await ask(runner, [bad, bad, bad, good])
    await ask(runner, [bad, bad, bad])
    expect(runner.models()).toHaveLength(1)
    await ask(runner, [bad])
    expect(runner.models()).toEqual([])
    await expect
      .poll(() => scene.orchestrator.reports)
      .toMatchObject([
        {
          failure_code: 'MULTIPLE_FAILED',
          failure_reason:
            'predict failed 4 times in a row, the last time with model_error: The model raised an exception: no luck',
        },
      ])
  })

  it('is called less often when it hangs, then reported, and never delays others', async () => {
    const hanging = await scene.serve({ echo: () => new Promise(() => {}) })
    const quick = await scene.serve(new Echo())
    scene.orchestrator.list([stateOf('hanging', hanging.port), stateOf('quick', quick.port)])
    const runner = await scene.connect({ timeoutLimit: 9 })
    for (let round = 0; round < 10; round += 1) {
      const answers = await ask(runner, [call('echo', 'x'), call('echo', 'y')], 500)
      expect(answers.quick).toMatchObject([{ output: 'x' }, { output: 'y' }])
      expect(answers.hanging).toMatchObject([
        { status: 'absent', blame: 'model' },
        { status: 'absent', blame: 'model' },
      ])
    }
    await expect.poll(() => runner.models().map(({ id }) => id)).toEqual(['quick'])
    expect(hanging.calls).toBe(1)
    await expect.poll(() => scene.orchestrator.reports).toMatchObject([{ failure_code: 'MULTIPLE_TIMEOUT' }])
  })
})

describe('set-up', () => {
  it('reports a submission without a model, and does not list it', async () => {
    const message = "No Inherited class found from <class 'tracker.TrackerBase'>."
    await listOne('a', new Echo(), { setUp: async () => ({ code: 'BAD_IMPLEMENTATION', message }) })
    const runner = await scene.connect()
    expect(runner.models()).toEqual([])
    await expect
      .poll(() => scene.orchestrator.reports)
      .toMatchObject([
        {
          failure_code: 'BAD_IMPLEMENTATION',
          failure_reason: `Setup was answered with BAD_IMPLEMENTATION: ${message}`,
        },
      ])
  })

  it('reports a model whose constructor fails', async () => {
    await listOne('a', new Echo(), { setUp: async () => ({ code: 'SETUP_FAILED', message: 'no file weights.bin' }) })
    const runner = await scene.connect()
    expect(runner.models()).toEqual([])
    await expect
      .poll(() => scene.orchestrator.reports)
      .toMatchObject([
        {
          failure_code: 'MULTIPLE_FAILED',
          failure_reason: 'Setup was answered with SETUP_FAILED: no file weights.bin',
        },
      ])
  })

  it('retries, then reports an address where no server listens', async () => {
    scene.orchestrator.list([stateOf('a', await freePort())])
    const runner = await scene.connect({ connectTimeoutMs: 50, setupAttempts: 3 })
    expect(runner.models()).toEqual([])
    await expect
      .poll(() => scene.orchestrator.reports)
      .toMatchObject([
        {
          failure_code: 'CONNECTION_FAILED',
          failure_reason: expect.stringMatching(/^no Setup in 3 attempts: no connection within 50 ms: .*ECONNREFUSED/),
        },
      ])
  })

  it('does not let a hanging Setup delay the others, and settles in bounded time', async () => {
    const hanging = await scene.serve(new Echo(), { setUp: () => new Promise(() => {}) })
    const quick = await scene.serve(new Echo())
    scene.orchestrator.list([stateOf('hanging', hanging.port), stateOf('quick', quick.port)])
    const runner = await scene.connect({ settleTimeoutMs: 300 })
    expect(runner.models().map(({ id }) => id)).toEqual(['quick'])
    expect((await ask(runner, [call('echo', 'x')])).quick).toMatchObject([{ output: 'x' }])
  })

  it('aborts a Setup that takes too long, and retries it', async () => {
    let setups = 0
    const server = await listOne('a', new Echo(), {
      setUp: () => {
        setups += 1
        return Promise.resolve({ code: 'SUCCESS', message: '' }).then((status) =>
          setups === 1 ? new Promise((resolve) => setTimeout(() => resolve(status), 200)) : status,
        )
      },
    })
    const runner = await scene.connect({ setupTimeoutMs: 50, setupBackoffMs: 100, settleTimeoutMs: 10_000 })
    expect(runner.models().map(({ id }) => id)).toEqual(['a'])
    expect(server.setups).toBe(2)
  })
})

describe('closing', () => {
  it('ends running and waiting dispatches, and a set-up', async () => {
    const hanging = await scene.serve({ predict: () => new Promise(() => {}) })
    const starting = await scene.serve(new Echo(), { setUp: () => new Promise(() => {}) })
    scene.orchestrator.list([stateOf('hanging', hanging.port), stateOf('starting', starting.port)])
    const runner = await scene.connect({ settleTimeoutMs: 100 })
    const dispatches = [1, 2].map(() => ask(runner, [call('predict')], 60_000))
    await expect.poll(() => hanging.calls).toBe(1)
    await runner.close()
    for (const answers of await Promise.all(dispatches)) {
      expect(answers.hanging).toMatchObject([{ status: 'absent', reason: 'not_running', blame: 'coordinator' }])
    }
    expect(runner.reachable()).toBe(false)
  })
})

describe('a process that dies', () => {
  it('ends its current call as not_running at once', async () => {
    const server = await listOne('a', { predict: () => new Promise(() => {}) })
    const runner = await scene.connect()
    const answers = ask(runner, [call('predict'), call('predict')], 20_000)
    await expect.poll(() => server.calls).toBe(1)
    server.crash()
    expect((await answers).a).toMatchObject([
      { status: 'absent', reason: 'not_running', blame: 'model', durationMs: expect.any(Number) },
      { status: 'absent', reason: 'not_running', blame: 'model', durationMs: null },
    ])
    expect((await ask(runner, [call('predict')], 20_000)).a).toMatchObject([{ reason: 'not_running' }])
  })

  it('comes back with a new deployment', async () => {
    const dead = await listOne('a', new Echo())
    const runner = await scene.connect()
    dead.crash()
    await ask(runner, [call('echo', 'x')])
    const alive = await scene.serve(new Echo())
    scene.orchestrator.update(stateOf('a', alive.port, { deployment_id: 'a_2' }))
    await expect.poll(() => runner.models()).toMatchObject([{ deploymentId: 'a_2' }])
    expect((await ask(runner, [call('echo', 'x')])).a).toMatchObject([{ output: 'x' }])
  })

  it('can crash in a loop: each new deployment is connected as it is announced', async () => {
    const runner = await scene.connect()
    for (let run = 1; run <= 5; run += 1) {
      const server = await scene.serve(new Echo())
      scene.orchestrator.update(stateOf('a', server.port, { deployment_id: `a_${run}` }))
      await expect.poll(() => runner.models()).toMatchObject([{ deploymentId: `a_${run}` }])
      expect((await ask(runner, [call('echo', 'x')])).a).toMatchObject([{ output: 'x' }])
      server.crash()
      expect((await ask(runner, [call('echo', 'x')])).a).toMatchObject([{ reason: 'not_running' }])
    }
    expect(scene.orchestrator.reports).toEqual([])
  })

  it('is set up again after being killed in the middle of a call and restarted at the same address', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'crunch-model-'))
    scene.onClose(() => rm(folder, { recursive: true }))
    await writeFile(join(folder, 'main.mjs'), realModel)
    const first = await startProcess(folder, 0)
    scene.orchestrator.list([stateOf('a', first.port)])
    const runner = await scene.connect({ baseClassName: 'main.TrackerBase' })
    expect((await ask(runner, [call('predict', 'BTC')])).a).toMatchObject([{ output: { subject: 'BTC', calls: 1 } }])
    const hanging = ask(runner, [call('hang')], 30_000)
    await first.kill()
    expect((await hanging).a).toMatchObject([{ status: 'absent', reason: 'not_running' }])
    await startProcess(folder, first.port)
    await expect
      .poll(async () => (await ask(runner, [call('predict', 'ETH')])).a, { timeout: 10_000 })
      .toMatchObject([{ output: { subject: 'ETH', calls: 1 } }])
  })
})

const realModel = `
export class TrackerBase {}
export class Model extends TrackerBase {
  calls = 0
  predict(subject) { this.calls += 1; return { subject, calls: this.calls } }
  hang() { return new Promise(() => {}) }
}
`

async function startProcess(folder: string, port: number) {
  const { command, args } = modelRunnerCommand()
  const child = spawn(command, [...args, '--code-directory', folder, '--address', `127.0.0.1:${port}`], {
    stdio: ['ignore', 'pipe', 'ignore'],
  })
  const exited = once(child, 'exit')
  const kill = async () => {
    child.kill('SIGKILL')
    await exited
  }
  scene.onClose(kill)
  for await (const line of createInterface({ input: child.stdout })) {
    const { port: bound } = JSON.parse(line) as { port: number }
    return { port: bound, kill }
  }
  throw new Error('the model runner ended before it was ready')
}

function encodeAnswer(code: string, type: VariantType, value: string | Buffer): Buffer {
  const answer = { status: { code, message: '' }, methodResponse: { type, value: Buffer.from(value) } }
  return Buffer.from(CallResponse.encode(answer).finish())
}
