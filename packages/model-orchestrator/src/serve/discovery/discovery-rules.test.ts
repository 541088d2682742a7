import { describe, expect, it } from 'vitest'
import { entry, useWorkspace } from '../../../test/start-in-workspace.ts'
import { isAlive, until } from '../../../test/workspace.ts'
import type { Orchestrator, OrchestratorSettings } from '../../start-orchestrator.ts'

// Rules on which deployed coordinators rely and whose tests need running models. discovery-server.test.ts tests the
// socket itself.
const { space, ...used } = useWorkspace()
let orchestrator: Orchestrator

async function start(settings: Partial<OrchestratorSettings> = {}) {
  // With a network, models listen on a port, as deployed coordinators expect.
  orchestrator = await used.start({ crunchId: 'weather', ...settings })
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

describe('the discovery messages', () => {
  it('list every serving model in init, even one being replaced, but no starting, stopped or failed one', async () => {
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

  it('contain one model per update, with a numeric port and all names', async () => {
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

  it('announce STOPPED before the process ends, so that no coordinator calls a stopping model', async () => {
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

  it('announce no STOPPED when the orchestrator itself closes', async () => {
    await space.submission('good', GOOD)
    await space.models([entry('1', 'good')])
    const coordinator = await start()
    await coordinator.announced('1', 'RUNNING')
    const pid = pidOf('1')
    await orchestrator.close()
    expect(isAlive(pid)).toBe(false)
    expect(coordinator.states.map(({ state }) => state)).toEqual(['RUNNING'])
  })

  it('announce neither a failed start nor its end', async () => {
    await space.submission('bad', 'process.exit(3)')
    await space.models([entry('1', 'bad')])
    const coordinator = await start()
    await until('quarantine', () => orchestrator.models()[0]?.quarantined)
    expect(coordinator.states).toEqual([])
    await until('the standing of the model', () => coordinator.frames.at(-1)?.includes('QUARANTINED'))
    expect(JSON.parse(coordinator.frames.at(-1)!).standings).toEqual([
      { model_id: '1', standing: 'QUARANTINED', reason: expect.stringContaining('RUN_FAILED') },
    ])
  })

  it('announce a new deployment for other hardware, but not for code that was edited in place', async () => {
    await space.submission('good', GOOD)
    await space.models([entry('1', 'good')])
    const coordinator = await start()
    const first = await coordinator.announced('1', 'RUNNING')
    await space.submission('good', 'export const edited = true')
    // The added model shows that the file was read again.
    await space.models([entry('1', 'good'), entry('2', 'good')])
    await coordinator.announced('2', 'RUNNING')
    expect(coordinator.states.filter(({ model_id: id }) => id === '1')).toEqual([first])
    await space.models([entry('1', 'good', { hardware_type: 'GPU' }), entry('2', 'good')])
    const second = await coordinator.announced('1', 'RUNNING', 1)
    expect(second.deployment_id).not.toBe(first.deployment_id)
  })
})
