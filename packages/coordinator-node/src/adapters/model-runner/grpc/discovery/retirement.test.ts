import type { ModelStanding } from '@crunch/model-protocol'
import { afterEach, beforeEach, expect, it, vi } from 'vitest'
import { ask, call, identityOf, openScene, type Scene, stateOf } from '../testing/scene.ts'

// For each model that cannot be called, the runner must report whether it may return by itself.

let scene: Scene
beforeEach(async () => {
  scene = await openScene()
})
afterEach(() => scene.close())

const steady = { predict: () => 1 }
const listed = (...ids: readonly string[]): ModelStanding[] =>
  ids.map((id) => ({ model_id: id, standing: 'LISTED', reason: null }))
const say = (event: string, data: readonly unknown[], standings?: readonly ModelStanding[]) =>
  scene.orchestrator.send(JSON.stringify({ event, data, standings }))

it('reports quarantine and removal as the orchestrator announces them, and nothing for a crash', async () => {
  const { port } = await scene.serve(steady)
  scene.orchestrator.list([stateOf('a', port), stateOf('b', port), stateOf('c', port)])
  const runner = await scene.connect()
  const why = (id: string) => runner.retirementOf(id)
  expect(['a', 'unknown'].map(why)).toEqual([null, null])
  say('init', [stateOf('a', port), stateOf('b', port), stateOf('c', port)], listed('a', 'b', 'c'))
  await vi.waitFor(() => expect(why('unknown')).toMatch(/^it was removed/))
  for (const id of ['a', 'b', 'c']) say('update', [stateOf(id, port, { state: 'STOPPED' })])
  say('update', [], [{ model_id: 'a', standing: 'QUARANTINED', reason: 'it hung' }])
  say('update', [], [{ model_id: 'b', standing: 'REMOVED', reason: null }])
  await vi.waitFor(() => expect(why('b')).toMatch(/^it was removed/))
  expect(why('a')).toBe('it is in quarantine: it hung')
  expect(why('c')).toBeNull()
  say('update', [], listed('a'))
  await vi.waitFor(() => expect(why('a')).toBeNull())
})

it('reports models that were removed while this node was disconnected', async () => {
  const { port } = await scene.serve(steady)
  const runner = await scene.connect()
  say('init', [stateOf('a', port)], listed('a', 'starting'))
  await vi.waitFor(() => expect(runner.models()).toEqual([identityOf('a')]))
  expect(['a', 'starting'].map((id) => runner.retirementOf(id))).toEqual([null, null])
  expect(runner.retirementOf('removed')).toMatch(/^it was removed/)
})

it('reports no removal when the orchestrator sends no standings, as deployed ones do not', async () => {
  const { port } = await scene.serve(steady)
  scene.orchestrator.list([stateOf('a', port)])
  const runner = await scene.connect()
  scene.orchestrator.update(stateOf('a', port, { state: 'STOPPED' }))
  await vi.waitFor(() => expect(runner.models()).toEqual([]))
  expect(runner.retirementOf('a')).toBeNull()
  say('init', [], 'nonsense' as never)
  say('init', [stateOf('b', port)])
  await vi.waitFor(() => expect(runner.models()).toHaveLength(1))
  expect(runner.retirementOf('a')).toBeNull()
})

it('retires a model that it gave up once the orchestrator has stopped that run, until the next run', async () => {
  const bare = await scene.serve({})
  scene.orchestrator.list([stateOf('a', bare.port)])
  const runner = await scene.connect()
  await ask(runner, [call('predict')])
  await vi.waitFor(() => expect(scene.orchestrator.reports).toHaveLength(1))
  expect(runner.models()).toEqual([])
  expect(runner.retirementOf('a')).toBeNull()
  scene.orchestrator.update(stateOf('a', bare.port, { state: 'STOPPED', deployment_id: 'older' }))
  scene.orchestrator.update(stateOf('a', bare.port, { state: 'STOPPED' }))
  await vi.waitFor(() => expect(runner.retirementOf('a')).toMatch(/gave it up.*BAD_IMPLEMENTATION/))
  scene.orchestrator.update(stateOf('a', bare.port, { deployment_id: 'a_2' }))
  await vi.waitFor(() => expect(runner.models()).toHaveLength(1))
  expect(runner.retirementOf('a')).toBeNull()
})

it('does not call the models that the consumer of the runner refuses', async () => {
  const { port } = await scene.serve(steady)
  scene.orchestrator.list([stateOf('a', port), stateOf('b', port)])
  const runner = await scene.connect()
  const all = await runner.dispatch([call('predict')], 10_000, new Set(['a']))
  expect(all.map(({ modelId }) => modelId)).toEqual(['b'])
})
