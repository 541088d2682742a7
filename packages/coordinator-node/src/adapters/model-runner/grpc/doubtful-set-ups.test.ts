import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { ask, call, openScene, type Scene, stateOf } from './testing/scene.ts'

class Echo {
  echo(text: string): string {
    return text
  }
}

let scene: Scene

beforeEach(async () => {
  scene = await openScene()
})

afterEach(() => scene.close())

describe('a model', () => {
  it('that refuses the base class is retried, logged once, and reported as soon as another model is set up', async () => {
    const refusing = await scene.serve(new Echo(), {
      setUp: async () => ({ code: 'INVALID_ARGUMENT', message: 'class_name is wrong' }),
    })
    scene.orchestrator.list([stateOf('a', refusing.port)])
    const runner = await scene.connect({ setupAttempts: 2, doubtMs: 20 })
    // It is not known yet whether the settings are wrong.
    await expect.poll(() => refusing.setups).toBeGreaterThanOrEqual(6)
    expect(scene.orchestrator.reports).toEqual([])
    const entries = scene.logged('a model cannot be set up, or the settings are wrong')
    expect(entries).toMatchObject([
      {
        level: 'error',
        fields: {
          modelId: 'a',
          reason: 'no Setup in 2 attempts: Setup was answered with INVALID_ARGUMENT: class_name is wrong',
          fix: expect.stringContaining('set MODEL_BASE_CLASSNAME if all models fail like this'),
        },
      },
    ])
    const good = await scene.serve(new Echo())
    scene.orchestrator.update(stateOf('b', good.port))
    await expect.poll(() => runner.models().map(({ id }) => id)).toEqual(['b'])
    await expect
      .poll(() => scene.orchestrator.reports)
      .toMatchObject([{ model_id: 'a', failure_code: 'MULTIPLE_FAILED', failure_reason: entries[0]?.fields.reason }])
    const setups = refusing.setups
    expect(scene.logged('model given up')).toMatchObject([{ fields: { modelId: 'a' } }])
    expect((await ask(runner, [call('echo', 'x')])).b).toMatchObject([{ output: 'x' }])
    expect(refusing.setups).toBe(setups)
    expect(entries).toHaveLength(1)
  })

  it('that refuses the base class while other models accept it is reported after its attempts', async () => {
    const good = await scene.serve(new Echo())
    scene.orchestrator.list([stateOf('b', good.port)])
    await scene.connect({ setupAttempts: 3 })
    const refusing = await scene.serve(new Echo(), { setUp: async () => ({ code: 'INVALID_ARGUMENT', message: 'no' }) })
    scene.orchestrator.update(stateOf('a', refusing.port))
    await expect
      .poll(() => scene.orchestrator.reports)
      .toMatchObject([{ model_id: 'a', failure_code: 'MULTIPLE_FAILED' }])
    expect(refusing.setups).toBe(3)
    expect(scene.lines.filter(({ level }) => level === 'error')).toEqual([])
  })
})
