import { afterEach, beforeEach, expect, it } from 'vitest'
import { ask, call, openScene, type Scene, stateOf } from '../testing/scene.ts'
import { CALLS_A_TURN } from './call-turns.ts'

let scene: Scene

beforeEach(async () => {
  scene = await openScene()
})

afterEach(async () => {
  await scene.close()
})

/** What reached the models, in order. */
async function serveAll(ids: readonly string[], echo: (id: string, text: string) => unknown): Promise<string[]> {
  const seen: string[] = []
  const states = []
  for (const id of ids) {
    const server = await scene.serve({
      echo(text: string) {
        seen.push(`${id} ${text}`)
        return echo(id, text)
      },
    })
    states.push(stateOf(id, server.port))
  }
  scene.orchestrator.list(states)
  return seen
}

it('calls models whose last answer was missing or invalid after the others', async () => {
  const seen = await serveAll(['a', 'b', 'c'], (id, text) =>
    id === 'a' && text === '2' ? Promise.reject(new Error('no luck')) : text,
  )
  const runner = await scene.connect()
  await ask(runner, [call('echo', '1')])
  await ask(runner, [call('echo', '2')])
  await ask(runner, [call('echo', '3')])
  expect(seen.findLast((line) => line.endsWith('3'))).toBe('a 3')

  runner.judge([{ modelId: 'b', method: 'echo', problem: 'value is missing' }])
  await ask(runner, [call('echo', '4')])
  expect(seen.findLast((line) => line.endsWith('4'))).toBe('b 4')
})

it('decides per method: a successful tick does not make up for a failing predict', async () => {
  const seen: string[] = []
  const states = []
  for (const id of ['a', 'b', 'c']) {
    const fails = id === 'a'
    const server = await scene.serve({
      tick: () => null,
      predict() {
        seen.push(id)
        return fails ? Promise.reject(new Error('no luck')) : 1
      },
    })
    states.push(stateOf(id, server.port))
  }
  scene.orchestrator.list(states)
  const runner = await scene.connect()
  for (const method of ['predict', 'tick', 'predict']) await ask(runner, [call(method)])
  expect(seen.slice(3).at(-1)).toBe('a')
})

it('blames the coordinator when the time is over before a model is called', async () => {
  await serveAll(['a'], (_, text) => text)
  const runner = await scene.connect({ timeoutLimit: 1 })
  for (let round = 0; round < 4; round += 1) {
    expect(await ask(runner, [call('echo', 'x')], 0)).toMatchObject({
      a: [{ status: 'absent', reason: 'timeout', blame: 'coordinator', durationMs: null }],
    })
  }
  expect(runner.models()).toHaveLength(1)
})

it('does not call a model that is stopped before its turn', async () => {
  const seen = await serveAll(['a', 'b'], (id, text) => (id === 'b' ? new Promise(() => {}) : text))
  const runner = await scene.connect()
  const answers = ask(runner, [call('echo', '1')], 1_000)
  await runner.close()
  expect((await answers).a).toMatchObject([{ status: 'absent', reason: 'not_running' }])
  expect(seen).toEqual([])
})

it('keeps the order of dispatches per model when the models need several turns', async () => {
  const ids = Array.from({ length: CALLS_A_TURN + 2 }, (_, index) => `m${String(index).padStart(2, '0')}`)
  const seen = await serveAll(ids, (_, text) => text)
  const runner = await scene.connect({ queueLimit: 1 })
  await ask(runner, [call('echo', '0')])
  const both = await Promise.all([ask(runner, [call('echo', '1')]), ask(runner, [call('echo', '2')])])
  expect(
    both.flatMap((answers) =>
      Object.values(answers)
        .flat()
        .map(({ status }) => status),
    ),
  ).toEqual(Array.from({ length: 2 * ids.length }, () => 'answered'))
  for (const id of ids) expect(seen.filter((line) => line.startsWith(id))).toEqual([`${id} 0`, `${id} 1`, `${id} 2`])
})
