import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { setTimeout } from 'node:timers/promises'
import { modelRunnerCommand } from '@crunch/model-runner'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { startStallWatch } from '../../stall-watch.ts'
import type { GrpcModelRunner } from '../connect-model-runner.ts'
import type { ModelRunnerOptions } from '../runner-options.ts'
import { ask, call, openScene, type Scene, stateOf } from '../testing/scene.ts'

// The models have processes of their own, so that they keep running while this one stalls.

let scene: Scene

beforeEach(async () => {
  scene = await openScene()
})

afterEach(() => scene.close())

const model = `
export class TrackerBase {}
export class Model extends TrackerBase {
  after(ms) { return new Promise((resolve) => setTimeout(resolve, Number(ms), 'well')) }
}
`

async function connectModel(options: Partial<ModelRunnerOptions> = {}): Promise<GrpcModelRunner> {
  const folder = await mkdtemp(join(tmpdir(), 'crunch-stall-'))
  scene.onClose(() => rm(folder, { recursive: true }))
  await writeFile(join(folder, 'main.mjs'), model)
  const { command, args } = modelRunnerCommand()
  const child = spawn(command, [...args, '--code-directory', folder, '--address', '127.0.0.1:0'], {
    stdio: ['ignore', 'pipe', 'ignore'],
  })
  const exited = once(child, 'exit')
  scene.onClose(async () => {
    child.kill('SIGKILL')
    await exited
  })
  for await (const line of createInterface({ input: child.stdout })) {
    const { port } = JSON.parse(line) as { port: number }
    scene.orchestrator.list([stateOf('a', port)])
    const runner = await scene.connect({ baseClassName: 'main.TrackerBase', stalls: startStallWatch(), ...options })
    // Warm-up: the first call of a process takes longer.
    await ask(runner, [call('after', '0')])
    return runner
  }
  throw new Error('the model runner ended before it was ready')
}

/** Simulates a stopped process: no callback runs. */
function standStill(lengthMs: number): void {
  const until = performance.now() + lengthMs
  while (performance.now() < until);
}

const stalled = { status: 'absent', reason: 'coordinator_stalled', blame: 'coordinator' }
const timeout = { status: 'absent', reason: 'timeout', blame: 'model' }

describe('an answer that is read after a stall of this process', () => {
  it('is rejected after the time limit, with blame on the coordinator, as it may have arrived in time', async () => {
    const runner = await connectModel()
    const answers = ask(runner, [call('after', '700')], 500)
    await setTimeout(50)
    standStill(1_500)
    expect((await answers).a).toMatchObject([stalled])
  })

  it('is rejected even if it arrived in time, because that cannot be known', async () => {
    const runner = await connectModel()
    const answers = ask(runner, [call('after', '200')], 500)
    await setTimeout(50)
    standStill(1_500)
    expect((await answers).a).toMatchObject([stalled])
  })

  it('is accepted within the time limit', async () => {
    const runner = await connectModel()
    const answers = ask(runner, [call('after', '10')], 10_000)
    await setTimeout(50)
    standStill(1_000)
    expect((await answers).a).toMatchObject([{ status: 'answered', output: 'well' }])
  })
})

describe('a missing answer', () => {
  it('is blamed on the coordinator when this process stalled for much of the time limit', async () => {
    const runner = await connectModel()
    // The first answer is read late and leaves too little time for the second call.
    const answers = ask(runner, [call('after', '10'), call('after', '1000')], 2_000)
    await setTimeout(5)
    standStill(1_500)
    expect((await answers).a).toMatchObject([{ status: 'answered' }, stalled])
  })

  it('is blamed on the model otherwise, even right after a stall', async () => {
    const runner = await connectModel()
    standStill(1_500)
    expect((await ask(runner, [call('after', '2000')], 600)).a).toMatchObject([timeout])
  })

  it('never counts against the model when the coordinator caused it', async () => {
    const runner = await connectModel({ timeoutLimit: 1, failureLimit: 1 })
    for (let round = 0; round < 3; round += 1) {
      const answers = ask(runner, [call('after', '100')], 300)
      await setTimeout(50)
      standStill(1_000)
      expect((await answers).a).toMatchObject([stalled])
    }
    expect(runner.models()).toHaveLength(1)
    expect(scene.orchestrator.reports).toEqual([])
  })
})
