import { expect, test } from 'vitest'
import type { Operations } from './operations-data.ts'
import { stagesOf } from './stages.ts'
import { workerMark } from './worker-mark.ts'

const row = (changes: Partial<Operations['stages'][number]>): Operations['stages'][number] => ({
  ...{ stage: 'feed', last_at: '2026-03-01T10:00:00.000Z', lag_ms: 0, per_hour: 60, queue: null, latency_ms: null },
  failures: {},
  ...changes,
})
const problem = { stage: 'score', what: 'late', since: null, cause: null, fix: null } as const

test('a stage shows what the node measured, and leaves out what does not exist', () => {
  const latency_ms = { p50: 10, p95: 1_260, p99: 1_300, max: 1_400 }
  const prediction = row({
    stage: 'prediction',
    queue: 1,
    lag_ms: 61_000,
    latency_ms,
    failures: { timeout: 2, busy: 1 },
  })
  const [feed, asked] = stagesOf({ stages: [row({ lag_ms: null }), prediction], problems: [] })
  expect(feed).toMatchObject({ mood: 'ok', word: 'runs', facts: [{ name: 'Last hour', value: '60 records' }] })
  expect(asked?.facts.map(({ value }) => value)).toEqual([
    '60 rounds answered',
    '1 round without answers',
    '1 min',
    '1.26 s (95 %)',
    '3 answers',
  ])
})

test('a stage is at fault when the node says so, and quiet without a result in the last hour', () => {
  const stages = [
    row({}),
    row({ stage: 'score', queue: 0 }),
    row({ stage: 'leaderboard', per_hour: 0 }),
    row({ stage: 'checkpoint', last_at: null, per_hour: 0, queue: 0 }),
  ]
  const drawn = stagesOf({ stages, problems: [problem, problem] })
  expect(drawn.map(({ name, mood, word }) => `${name} ${mood} ${word}`)).toEqual([
    'feed ok runs',
    'score fail 2 faults',
    'leaderboard quiet idle',
    'checkpoint quiet nothing yet',
  ])
})

test('a worker that is not heard does not work, whatever it said last', () => {
  const words = [false, true].map((is_failing) =>
    [false, true].map((is_silent) => workerMark({ is_silent, is_failing })),
  )
  expect(words.flat().map(({ word }) => word)).toEqual(['works', 'silent', 'failing', 'silent'])
})
