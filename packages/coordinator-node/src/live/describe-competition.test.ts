import { candles } from '@crunch/coordinator-node'
import { describe, expect, it } from 'vitest'
import { z } from 'zod'
import { changedContract } from '../../test/sample-definition.ts'
import { contractStructure } from '../contract/contract-structure.ts'
import { proportional } from '../contract/defaults/by-value.ts'
import { competitionFacts } from '../report/routes/competition/competition-schema.ts'
import { describeCompetition } from './describe-competition.ts'

describe('describeCompetition', () => {
  it('has the defaults of a contract', () => {
    const facts = describeCompetition(changedContract({}))
    expect(competitionFacts.parse(facts)).toEqual(facts)
    expect(facts).toMatchObject({
      question: {
        schedules: [{ key: 'BTCUSDT-5m', subject: 'BTCUSDT', every: 60, horizon: 300, step: 60, on: 'record' }],
        input: {
          window: 600,
          fields: [
            { name: 'subject', type: 'string' },
            { name: 'closes', type: 'list of number' },
          ],
        },
        answer: {
          timeout: 1,
          max_values: 10_000,
          fields: [{ name: 'value', minimum: -1, maximum: 1, required: true }],
        },
        ...{ missing: 'worst', reveal: 'with truth' },
      },
      score: {
        description: null,
        fields: [
          { name: 'value', unit: null },
          { name: 'hit', type: 'boolean' },
        ],
      },
      ranking: { aggregation: 'mean', own_order: false, newcomers: 'wait', min_coverage: 0.8, unit: null },
      pay: { every: 1_800, min_coverage: 0, emission: { name: 'tiers' }, floor: null },
    })
  })

  it('has the options, units and descriptions of a contract', () => {
    const nested = z.object({
      low: z.object({ price: z.number().meta({ unit: 'USD', description: 'The least price.' }) }).optional(),
      steps: z.array(z.object({ at: z.int(), side: z.enum(['up', 'down']) })),
    })
    const score = z.object({ value: z.number(), hit: z.boolean() }).describe('Squared error of the return.')
    const facts = describeCompetition(
      changedContract({
        feed: candles({
          ...{ source: 'binance', subjects: ['BTCUSDT', 'ETHUSDT'], granularity: '1m' },
          gate: { frozenAfter: 5, maxJump: 0.1, agree: { with: 'ETHUSDT', within: 0.2 } },
        }),
        baselines: ['flat'],
        prediction: { schema: nested, missing: () => null, reveal: 'at once' },
        score: { schema: score, unit: 'bp' },
        leaderboard: { aggregate: () => 1, rank: () => [] },
        checkpoint: { minCoverage: 0.5, emission: proportional({ zeroAt: 0, payAbove: { baseline: 'flat' } }) },
      } as never),
    )
    expect(competitionFacts.parse(facts)).toEqual(facts)
    const none = { unit: null, description: null, minimum: null, maximum: null }
    expect(facts.question.answer.fields).toEqual([
      { ...none, name: 'low.price', type: 'number', unit: 'USD', description: 'The least price.', required: false },
      { ...none, name: 'steps[].at', type: 'integer', required: true },
      { ...none, name: 'steps[].side', type: '"up" or "down"', required: true },
    ])
    expect(facts).toMatchObject({
      question: { missing: 'own', reveal: 'at once' },
      score: { description: 'Squared error of the return.', fields: [{ name: 'value', unit: 'bp' }, { unit: null }] },
      ranking: { aggregation: 'own', own_order: true, unit: 'bp' },
      pay: { min_coverage: 0.5, emission: { name: 'proportional' }, floor: { baseline: 'flat', value: null } },
    })
    expect(facts.feeds[0]?.gate).toMatchObject({ frozen_after: 5, max_jump: { limit: 0.1 }, agree: { within: 0.2 } })
  })

  it('describes values that are no objects, and says so of a schema that it cannot describe', () => {
    const answer = (schema: z.ZodType) =>
      describeCompetition(changedContract({ prediction: { schema } as never })).question.answer.fields
    expect(answer(z.number().nullable())).toMatchObject([{ name: '', type: 'number or null', required: true }])
    expect(answer(z.array(z.array(z.number())))).toMatchObject([{ name: '', type: 'list of list of number' }])
    const loop: z.ZodType = z.object({
      get next(): z.ZodType {
        return loop.optional()
      },
    })
    expect(answer(loop)).not.toBeUndefined()
  })

  it('a unit begins no era', () => {
    const structure = (score: object) => contractStructure(changedContract({ score }), 'organizer')
    expect(structure({ unit: 'bp' })).toEqual(structure({}))
  })
})
