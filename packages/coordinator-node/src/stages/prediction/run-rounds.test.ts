import { expect, test } from 'vitest'
import { createTestRunner } from '../../../test/competition.ts'
import { resolvedContract } from '../../../test/sample-contract.ts'
import { createVirtualClock } from '../../adapters/clock/clocks.ts'
import { createMemoryStore } from '../../adapters/store/memory/memory-store.ts'
import { silentLog } from '../../ports/log.ts'
import type { ModelAnswer, ModelCall } from '../../ports/model-runner.ts'
import { minute, prepare } from '../../ports/store-samples.ts'
import { loadModelRegistry } from './model-registry.ts'
import { runRounds } from './run-rounds.ts'

const fault = { blame: 'model', detail: 'says the runner', durationMs: 1 } as const
const refusal: ModelAnswer = { status: 'failed', reason: 'invalid_call', ...fault }
const timeout: ModelAnswer = { status: 'absent', reason: 'timeout', ...fault }
const answered: ModelAnswer = { status: 'answered', output: { value: 0.5 }, durationMs: 1 }

/** The stored rows of a round for connected models, with these answers of the runner. */
async function stored(
  connected: readonly string[],
  answers: Readonly<Record<string, ModelAnswer>>,
  connectedBefore = connected,
) {
  const store = createMemoryStore()
  await prepare(store, [])
  const resolved = resolvedContract()
  const clock = createVirtualClock(minute(0))
  const runnerOf = (ids: readonly string[]) => createTestRunner(Object.fromEntries(ids.map((id) => [id, {}])))
  const runner = {
    ...runnerOf(connected),
    dispatch: async (calls: readonly ModelCall[]) =>
      Object.entries(answers).map(([modelId, answer]) => ({ modelId, answers: calls.map(() => answer) })),
  }
  const registry = await loadModelRegistry(store, resolved.organizer)
  registry.observe(runnerOf(connectedBefore), minute(-1))
  await runRounds(resolved, { store, runner, clock, log: silentLog }, registry, {
    at: minute(0),
    input: { subject: 'BTCUSDT', closes: [] },
    due: resolved.schedules.map((schedule) => ({ schedule, missedBefore: 0 })),
    timeoutMs: 1_000,
    isNews: true,
    onOpen: () => {},
    onRefused: () => {},
  })
  return store.dump().predictions.map(({ modelId, status, reason, blame }) => [modelId, status, reason, blame])
}

test('a call refused by all models is the coordinator’s fault; a time-out of one of them is its own', async () => {
  expect(await stored(['a', 'b', 'slow'], { a: refusal, b: refusal, slow: timeout })).toEqual([
    ['a', 'FAILED', 'invalid_call', 'coordinator'],
    ['b', 'FAILED', 'invalid_call', 'coordinator'],
    ['slow', 'ABSENT', 'timeout', 'model'],
  ])
})

test('an answer of a model that was not connected when the round opened does not count', async () => {
  expect(await stored(['a'], { a: answered, back: answered }, ['a', 'back'])).toEqual([
    ['a', 'PENDING', null, null],
    ['back', 'ABSENT', 'not_running', 'model'],
  ])
})
