import { describe, expect, it } from 'vitest'
import { entry, useWorkspace } from '../../../test/start-in-workspace.ts'
import { isAlive, until } from '../../../test/workspace.ts'
import type { Orchestrator, OrchestratorSettings } from '../../start-orchestrator.ts'

// What coordinators that are deployed rely on, as far as it needs models that run; the socket's own rules are tested
// beside it.
const { space, ...used } = useWorkspace()
let orchestrator: Orchestrator

async function start(settings: Partial<OrchestratorSettings> = {}) {
  // Models with a network listen where every coordinator that is deployed expects it: on a port.
  orchestrator = await used.start({ crunchId: 'weather', confinement: { network: 'host' }, ...settings })
  return connect()
}
const connect = (path = '/weather') => used.connect(orchestrator.port, path)
const pidOf = (id: string) => {
  const pid = orchestrator.models().find((model) => model.id === id)?.pid
  if (typeof pid !== 'number') throw new Error(`model ${id} has no process`)
  return pid
}
const GOOD = 'export {}'
const HANGS = 'await new Promise((resolve) => setTimeout(resolve, 600_000))'

describe('what coordinators are told', () => {
  it('init lists each model that serves, also one that is being replaced, and none that starts, stopped or failed', async () => {
    await space.submission('good', GOOD)
    await space.submission('hangs', HANGS)
    await space.models([entry('1', 'good'), entry('2', 'good', { desired_state: 'STOPPED' }), entry('3', 'missing')])
    const first = await start()
    const serving = await first.announced('1', 'RUNNING')
    await space.models([entry('1', 'hangs'), entry('4', 'hangs')])
    await until('the replacement starts', () =>
      orchestrator.models().some(({ id, latestDeploymentId: run }) => id === '1' && run !== serving.deployment_id),
    )
    const later = await connect()
    expect(JSON.parse(later.frames[0]!)).toMatchObject({
      event: 'init',
      data: [serving],
      standings: ['1', '4'].map((id) => ({ model_id: id, standing: 'LISTED' })),
    })
  })

  it('an update holds one model, its port as a number, and every name a coordinator asks for', async () => {
    await space.submission('good', GOOD)
    await space.models([])
    const coordinator = await start()
    await space.models([entry('1', 'good'), entry('2', 'good')])
    await coordinator.announced('1', 'RUNNING')
    await coordinator.announced('2', 'RUNNING')
    const updates = coordinator.frames
      .slice(1)
      .map((frame) => JSON.parse(frame))
      .filter(({ data }) => data.length > 0)
    expect(updates).toHaveLength(2)
    for (const { event, data } of updates) {
      expect(event).toBe('update')
      expect(data).toEqual([
        {
          deployment_id: expect.stringMatching(/^[12]_\d{8}_\d{6}_\d{3}$/),
          model_id: expect.stringMatching(/^[12]$/),
          infos: {
            model_name: null,
            cruncher_id: null,
            cruncher_name: null,
            cruncher_wallet_pubkey: null,
            cruncher_hotkey: null,
          },
          state: 'RUNNING',
          ip: '127.0.0.1',
          port: expect.any(Number),
        },
      ])
    }
  })

  it('STOPPED comes before the process is gone, so that nobody calls a model that is being ended', async () => {
    await space.submission('stubborn', "process.on('SIGTERM', () => {})")
    await space.models([entry('1', 'stubborn')])
    const coordinator = await start({ stopTimeoutMs: 3_000 })
    await coordinator.announced('1', 'RUNNING')
    const pid = pidOf('1')
    await space.models([entry('1', 'stubborn', { desired_state: 'STOPPED' })])
    await coordinator.announced('1', 'STOPPED')
    expect(isAlive(pid)).toBe(true)
    expect((await connect()).states).toEqual([])
    await until('the process is gone', () => !isAlive(pid))
  })

  it('when the orchestrator ends, nothing but its goodbye: no model is said to have stopped', async () => {
    await space.submission('good', GOOD)
    await space.models([entry('1', 'good')])
    const coordinator = await start()
    await coordinator.announced('1', 'RUNNING')
    const pid = pidOf('1')
    await orchestrator.close()
    expect(isAlive(pid)).toBe(false)
    expect(coordinator.states.map(({ state }) => state)).toEqual(['RUNNING'])
  })

  it('a start that fails is never announced, and neither is the end of it', async () => {
    await space.submission('bad', 'process.exit(3)')
    await space.models([entry('1', 'bad')])
    const coordinator = await start()
    await until('quarantine', () => orchestrator.models()[0]?.quarantined)
    expect(coordinator.states).toEqual([])
    await until('its standing', () => coordinator.frames.at(-1)?.includes('QUARANTINED'))
    expect(JSON.parse(coordinator.frames.at(-1)!).standings).toEqual([
      { model_id: '1', standing: 'QUARANTINED', reason: expect.stringContaining('RUN_FAILED') },
    ])
  })

  it('code that is edited in place is no new deployment; a change of the hardware is one', async () => {
    await space.submission('good', GOOD)
    await space.models([entry('1', 'good')])
    const coordinator = await start()
    const first = await coordinator.announced('1', 'RUNNING')
    await space.submission('good', 'export const edited = true')
    // What follows in the file shows that it was read again.
    await space.models([entry('1', 'good'), entry('2', 'good')])
    await coordinator.announced('2', 'RUNNING')
    expect(coordinator.states.filter(({ model_id: id }) => id === '1')).toEqual([first])
    await space.models([entry('1', 'good', { hardware_type: 'GPU' }), entry('2', 'good')])
    const second = await coordinator.announced('1', 'RUNNING', 1)
    expect(second.deployment_id).not.toBe(first.deployment_id)
  })
})
