import { expect, test } from 'vitest'
import { z } from 'zod'
import { createTestRunner } from '../../../test/competition.ts'
import { resolvedContract } from '../../../test/sample-contract.ts'
import type { ModelAnswer } from '../../ports/model-runner.ts'
import { minute, model, round } from '../../ports/store-samples.ts'
import { judgeRound } from './judge-round.ts'

test('yields to other work after at most 2,000 judged values', async () => {
  const events: (number | 'turn')[] = []
  const schema = z.array(z.number()).refine((values) => events.push(values.length))
  const answers = [900, 900, 900, 1_500].map((length, index): [string, ModelAnswer] => [
    `m${index}`,
    { status: 'answered', output: Array.from({ length }, () => 1), durationMs: 1 },
  ])
  const models = answers.map(([id]) => ({ ...model(id), registeredAt: minute(-1), retirements: [] }))
  const clock = {
    now: () => minute(0),
    refresh: async () => minute(0),
    turn: async () => void events.push('turn'),
  }
  const ports = { runner: createTestRunner({}), clock }
  await judgeRound(resolvedContract({ prediction: { schema } }), ports, models, round(0), new Map(answers))
  expect(events).toEqual([900, 900, 'turn', 900, 'turn', 1_500])
})
