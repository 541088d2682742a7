import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { startFakeOrchestrator } from '../testing/fake-orchestrator.ts'
import { openScene, type Scene, stateOf } from '../testing/scene.ts'
import {
  type AbsenceExcuses,
  announceLimitMs,
  createAbsenceExcuses,
  lossNoticeMs,
  setUpLimitMs,
} from './absence-excuses.ts'

const run = (modelId: string, number = 1) => ({ modelId, deploymentId: `${modelId}_${number}` })

/** Excuses after a session in which `a` and `b` served for long. */
function openSession() {
  let at = 0
  const excuses = createAbsenceExcuses(() => at)
  const why = (modelId: string) => excuses.excuseOf(modelId)?.reason ?? null
  const wait = (ms: number) => {
    at += ms
  }
  excuses.begin()
  for (const id of ['a', 'b']) {
    excuses.running(run(id))
    excuses.serving(id)
  }
  wait(announceLimitMs)
  return { excuses, why, wait }
}

describe('after a new session with the orchestrator began', () => {
  it('a model that ran before is excused until it serves again, and is to blame after that', () => {
    const { excuses, why, wait } = openSession()
    excuses.begin()
    expect(['a', 'b'].map(why)).toEqual(['orchestrator_restarted', 'orchestrator_restarted'])
    wait(announceLimitMs - 1)
    excuses.running(run('a', 2))
    wait(1)
    expect(['a', 'b'].map(why)).toEqual(['orchestrator_restarted', null])
    excuses.serving('a')
    expect(why('a')).toBeNull()
    excuses.stopped(run('a', 2))
    expect(why('a')).toBeNull()
  })

  it('a model that was announced again is excused for the time limit of a set-up only', () => {
    const { excuses, why, wait } = openSession()
    excuses.begin()
    excuses.running(run('a', 2))
    wait(setUpLimitMs - 1)
    expect(why('a')).toBe('orchestrator_restarted')
    wait(1)
    expect(why('a')).toBeNull()
  })

  it.each(['stopped', 'failed'] as const)(
    'a model that %s in the new session is to blame at once, and stays so in the next session',
    (how) => {
      const { excuses, why } = openSession()
      excuses.begin()
      excuses.running(run('a', 2))
      if (how === 'stopped') excuses.stopped(run('a', 2))
      else excuses.failed('a')
      expect(why('a')).toBeNull()
      excuses.begin()
      expect(['a', 'b'].map(why)).toEqual([null, 'orchestrator_restarted'])
    },
  )

  it.each(['stopped', 'failed'] as const)('a model that had %s before is not excused', (how) => {
    const { excuses, why } = openSession()
    if (how === 'stopped') excuses.stopped(run('a'))
    else excuses.failed('a')
    excuses.begin()
    expect(why('a')).toBeNull()
    excuses.running(run('a', 2))
    expect(why('a')).toBeNull()
  })

  it('a model unreachable at the end of the session is excused; one unreachable before that is to blame', () => {
    const { excuses, why, wait } = openSession()
    excuses.unreached('a')
    wait(lossNoticeMs + 1)
    excuses.unreached('b')
    expect(why('b')).toBeNull()
    wait(lossNoticeMs)
    excuses.lost()
    excuses.begin()
    expect(['a', 'b'].map(why)).toEqual([null, 'orchestrator_restarted'])
  })

  it('a model unreachable between sessions is excused; one that fails then is to blame', () => {
    const { excuses, why } = openSession()
    excuses.lost()
    excuses.unreached('a')
    excuses.failed('b')
    excuses.begin()
    expect(['a', 'b'].map(why)).toEqual(['orchestrator_restarted', null])
  })

  it('a late message about an older run changes nothing', () => {
    const { excuses, why } = openSession()
    excuses.running(run('a', 2))
    excuses.stopped(run('a', 1))
    excuses.begin()
    excuses.stopped(run('a', 2))
    expect(why('a')).toBe('orchestrator_restarted')
  })

  it('a model whose excuse has run out is not excused again by the next session', () => {
    const { excuses, why, wait } = openSession()
    excuses.begin()
    excuses.running(run('b', 2))
    wait(announceLimitMs)
    excuses.begin()
    expect(['a', 'b'].map(why)).toEqual([null, 'orchestrator_restarted'])
  })

  it('an excuse that has not ended carries over into the next session', () => {
    const { excuses, why, wait } = openSession()
    excuses.begin()
    wait(announceLimitMs - 1)
    excuses.begin()
    expect(['a', 'b'].map(why)).toEqual(['orchestrator_restarted', 'orchestrator_restarted'])
  })
})

describe('while the orchestrator replaces or recovers a model', () => {
  it('a replaced model is excused until the new run is set up, at most for the time limit of a set-up', () => {
    const { excuses, why, wait } = openSession()
    for (const id of ['a', 'b']) {
      excuses.running(run(id, 2))
      excuses.stopped(run(id, 1))
    }
    expect(['a', 'b'].map(why)).toEqual(['not_running', 'not_running'])
    excuses.serving('a')
    expect(why('a')).toBeNull()
    wait(setUpLimitMs - 1)
    expect(why('b')).toBe('not_running')
    wait(1)
    expect(why('b')).toBeNull()
  })

  it('a recovering model is excused until it is announced and set up again, within the limits of a restart', () => {
    const { excuses, why, wait } = openSession()
    for (const id of ['a', 'b']) excuses.recovering(run(id))
    wait(announceLimitMs - 1)
    excuses.running(run('a'))
    wait(1)
    expect(['a', 'b'].map(why)).toEqual(['not_running', null])
    wait(setUpLimitMs - 1)
    expect(why('a')).toBeNull()
  })

  it.each<readonly [string, (excuses: AbsenceExcuses) => void]>([
    ['a run that ended before the next one came', (excuses) => excuses.stopped(run('a', 1))],
    ['a run that was given up before the next one came', (excuses) => excuses.failed('a')],
    ['a run that could not be reached before the next one came', (excuses) => excuses.unreached('a')],
  ])('%s is no excuse', (_, happens) => {
    const { excuses, why } = openSession()
    happens(excuses)
    excuses.running(run('a', 2))
    expect(why('a')).toBeNull()
  })

  it.each<readonly [string, (excuses: AbsenceExcuses) => void]>([
    ['ends', (excuses) => excuses.stopped(run('a', 2))],
    ['fails', (excuses) => excuses.failed('a')],
    ['cannot be reached', (excuses) => excuses.unreached('a')],
  ])('a model whose new run %s is to blame', (_, happens) => {
    const { excuses, why } = openSession()
    excuses.running(run('a', 2))
    expect(why('a')).toBe('not_running')
    happens(excuses)
    expect(why('a')).toBeNull()
  })

  it('a model that is merely announced again, or whose older run is recovered, is to blame', () => {
    const { excuses, why } = openSession()
    excuses.running(run('a', 1))
    excuses.recovering(run('a', 0))
    expect(why('a')).toBeNull()
  })
})

describe('after this node was started', () => {
  it('every model is excused until it serves, fails or reaches the limit', () => {
    let at = 0
    const excuses = createAbsenceExcuses(() => at)
    const why = (modelId: string) => excuses.excuseOf(modelId)?.reason ?? null
    excuses.begin()
    excuses.running(run('serving'))
    excuses.serving('serving')
    excuses.running(run('crashed'))
    excuses.stopped(run('crashed'))
    expect(['serving', 'crashed', 'starting'].map(why)).toEqual([null, null, 'orchestrator_restarted'])
    excuses.begin()
    expect(['crashed', 'starting'].map(why)).toEqual([null, 'orchestrator_restarted'])
    excuses.running(run('crashed', 2))
    excuses.running(run('starting'))
    expect(['crashed', 'starting'].map(why)).toEqual([null, 'orchestrator_restarted'])
    at = announceLimitMs
    expect(['crashed', 'starting'].map(why)).toEqual([null, null])
  })
})

describe('the models of a killed orchestrator', () => {
  let scene: Scene
  beforeEach(async () => {
    scene = await openScene()
  })
  afterEach(() => scene.close())

  it('are absent by the fault of the coordinator until the orchestrator has announced them again', async () => {
    const before = await scene.serve({ predict: () => 1 })
    let at = 0
    const { port } = scene.orchestrator
    scene.orchestrator.list(['a', 'b', 'crashed'].map((id) => stateOf(id, before.port)))
    const runner = await scene.connect({ nowMs: () => at })
    const why = (id: string) => runner.excuseOf(id)?.reason ?? null
    scene.orchestrator.update(stateOf('crashed', before.port, { state: 'STOPPED' }))
    await expect.poll(() => runner.models()).toHaveLength(2)
    expect(['a', 'crashed'].map(why)).toEqual([null, null])
    at = announceLimitMs
    await scene.orchestrator.close()
    await expect.poll(() => why('crashed')).toBe('orchestrator_unreachable')
    before.crash()
    const back = await startFakeOrchestrator({ port })
    scene.onClose(() => back.close())
    await expect.poll(() => runner.models(), { timeout: 5_000 }).toEqual([])
    expect(['a', 'b', 'crashed'].map(why)).toEqual(['orchestrator_restarted', 'orchestrator_restarted', null])
    const after = await scene.serve({ predict: () => 1 })
    back.update(stateOf('a', after.port, { deployment_id: 'a_2' }))
    await expect.poll(() => runner.models()).toHaveLength(1)
    back.update(stateOf('a', after.port, { deployment_id: 'a_2', state: 'STOPPED' }))
    await expect.poll(() => runner.models()).toEqual([])
    expect(['a', 'b', 'crashed'].map(why)).toEqual([null, 'orchestrator_restarted', null])
    at += announceLimitMs
    expect(why('b')).toBeNull()
  })

  it.each(['before', 'after'] as const)(
    'are not to blame for a Setup that breaks off with the orchestrator, noticed just %s its end',
    async (order) => {
      let at = 0
      const { port } = scene.orchestrator
      const serving = await scene.serve({ predict: () => 1 })
      const starting = await scene.serve({}, { setUp: () => new Promise(() => {}) })
      scene.orchestrator.list([stateOf('serving', serving.port)])
      const runner = await scene.connect({ nowMs: () => at, setupAttempts: 1, connectTimeoutMs: 500 })
      at = announceLimitMs
      scene.orchestrator.update(stateOf('starting', starting.port))
      await expect.poll(() => starting.setups).toBe(1)
      const isOver = () =>
        scene.lines.some(({ fields, message }) => fields.modelId === 'starting' && message.startsWith('model '))
      const stopOrchestrator = async () => {
        await scene.orchestrator.close()
        await expect.poll(() => runner.reachable()).toBe(false)
      }
      if (order === 'after') await stopOrchestrator()
      starting.crash()
      await expect.poll(isOver).toBe(true)
      if (order === 'before') await stopOrchestrator()
      serving.crash()
      const back = await startFakeOrchestrator({ port })
      scene.onClose(() => back.close())
      await expect.poll(() => runner.reachable(), { timeout: 5_000 }).toBe(true)
      for (const id of ['serving', 'starting']) {
        expect(runner.excuseOf(id)?.reason).toBe('orchestrator_restarted')
        expect(runner.retirementOf(id)).toBeNull()
      }
    },
  )
})
