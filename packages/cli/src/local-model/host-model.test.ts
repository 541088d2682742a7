import { expect, it } from 'vitest'
import { freeId, untilStarted } from './host-model.ts'

it.each([
  ['the name of the model', [], 'trend'],
  ['a new name, if another model has it', ['1', 'trend'], 'trend-2'],
  ['a new name, if a baseline has it in other letters', ['Trend ', 'trend-2'], 'trend-3'],
])('a model that is tested has as id %s', (_, taken, id) => {
  expect(freeId('trend', taken)).toBe(id)
})

it('of the many lines of a build, the newest is shown once a second, and none twice', async () => {
  let nowMs = 0
  let reads = 0
  const shown: string[] = []
  // pip prints a line every 10 ms for 3 s, and is then silent for 2 s.
  const lineAt = (ms: number) => `Collecting package ${Math.min(ms, 3_000) / 10}`
  await untilStarted({
    status: () => ({ state: nowMs < 5_000 ? 'STARTING' : 'RUNNING' }),
    output: async () => {
      reads += 1
      const service = { message: 'the service', error: false, emitter: 'service' }
      return [{ message: lineAt(nowMs), error: false, emitter: 'builder' }, service]
    },
    onBuild: (text) => void shown.push(text()),
    signal: new AbortController().signal,
    now: () => nowMs,
    wait: async (durationMs) => {
      nowMs += durationMs
    },
  })
  expect(shown).toEqual([1_000, 2_000, 3_000].map(lineAt))
  expect(reads).toBe(5)
})
