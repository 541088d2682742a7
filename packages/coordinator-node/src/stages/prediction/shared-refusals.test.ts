import { describe, expect, test } from 'vitest'
import type { ModelAnswer } from '../../ports/model-runner.ts'
import { type AskedModel, isCallAtFault } from './shared-refusals.ts'

const fault = { blame: 'model', detail: '', durationMs: 1 } as const
const invalidCall: ModelAnswer = { status: 'failed', reason: 'invalid_call', ...fault }
const accessDenied: ModelAnswer = { status: 'absent', reason: 'access_denied', ...fault }
const modelError: ModelAnswer = { status: 'failed', reason: 'model_error', ...fault }
const timeout: ModelAnswer = { status: 'absent', reason: 'timeout', ...fault }
const answered: ModelAnswer = { status: 'answered', output: 1, durationMs: 1 }

/** One model per answer, each of another cruncher. */
const each = (...answers: readonly ModelAnswer[]): AskedModel[] =>
  answers.map((answer, index) => ({ model: { id: `m${index}`, cruncherId: `c${index}` }, answer }))

describe('a call is at fault', () => {
  test.each([
    ['all refuse it', each(invalidCall, invalidCall)],
    ['all refuse this coordinator', each(accessDenied, accessDenied, accessDenied)],
    ['all but a silent one refuse it', each(invalidCall, invalidCall, timeout)],
  ])('when %s', (_, asked) => {
    expect(isCallAtFault(asked)).toBe(true)
  })
})

describe('a call is not at fault', () => {
  test.each([
    ['no model was called', []],
    ['one refuses it and others answer', each(invalidCall, answered, answered)],
    ['all but one refuse it', each(invalidCall, invalidCall, invalidCall, answered)],
    ['all but one that answers wrongly refuse it', each(invalidCall, invalidCall, invalidCall, modelError)],
    ['one answers and others are silent', each(invalidCall, timeout, timeout)],
    ['half of them are silent', each(invalidCall, invalidCall, timeout, timeout)],
    ['they refuse it for different reasons', each(invalidCall, accessDenied)],
    ['there is one model only', each(invalidCall)],
    ['no model answers', each(timeout, timeout)],
    ['all fail in another way', each(modelError, modelError)],
    [
      'all models that refuse it are of one cruncher',
      each(invalidCall, invalidCall).map(({ model, answer }) => ({ model: { ...model, cruncherId: 'one' }, answer })),
    ],
  ])('when %s', (_, asked) => {
    expect(isCallAtFault(asked)).toBe(false)
  })
})
