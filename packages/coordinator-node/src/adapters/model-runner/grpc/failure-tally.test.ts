import { describe, expect, it } from 'vitest'
import type { ModelAnswer } from '../../../ports/model-runner.ts'
import { busyAnswer, failedAnswer, notRunningAnswer, timeoutAnswer } from '../model-answers.ts'
import { createFailureTally, type Verdict } from './failure-tally.ts'

const answered: ModelAnswer = { status: 'answered', output: 1, durationMs: 1 }
const late = timeoutAnswer(10, 10)
const failed = failedAnswer({ reason: 'model_error', blame: 'model', detail: 'boom', durationMs: 1 })

describe('the cool-down of a model that does not answer in time', () => {
  it('leaves longer and longer pauses, and gives the model up after as many dispatches as without pauses', () => {
    const tally = createFailureTally({ failureLimit: 100, timeoutLimit: 100 })
    let calls = ''
    let verdict: Verdict | undefined
    while (verdict === undefined) {
      calls += tally.shouldSkip() ? 's' : 'C'
      verdict = tally.record([late])
    }
    expect(calls).toHaveLength(101)
    expect(calls.slice(0, 13)).toBe('CCsCssCssssCs')
    expect(calls.replaceAll('s', '').length).toBeLessThan(15)
    expect(verdict).toMatchObject({ code: 'MULTIPLE_TIMEOUT' })
  })

  it('does not begin with a model that is busy with one slow call, which costs no waiting', () => {
    const tally = createFailureTally({ failureLimit: 100, timeoutLimit: 20 })
    expect(tally.record([late])).toBeUndefined()
    for (let round = 0; round < 19; round += 1) {
      expect(tally.shouldSkip()).toBe(false)
      expect(tally.record([busyAnswer(1)])).toBeUndefined()
    }
    expect(tally.record([busyAnswer(1)])).toMatchObject({ code: 'MULTIPLE_TIMEOUT' })
  })

  it('ends with the first answer in time, also a wrong one', () => {
    for (const cure of [answered, failed]) {
      const tally = createFailureTally({ failureLimit: 100, timeoutLimit: 3 })
      for (let round = 0; round < 3; round += 1) {
        tally.shouldSkip()
        expect(tally.record([late])).toBeUndefined()
      }
      expect(tally.record([cure])).toBeUndefined()
      expect(tally.record([late])).toBeUndefined()
      expect(tally.shouldSkip()).toBe(false)
    }
  })
})

describe('verdicts', () => {
  it('count one time-out a dispatch, even after a quick first answer', () => {
    const tally = createFailureTally({ failureLimit: 1, timeoutLimit: 2 })
    expect(tally.record([answered, late, late, late])).toBeUndefined()
    expect(tally.record([answered, late])).toBeUndefined()
    expect(tally.record([answered, late])).toMatchObject({ code: 'MULTIPLE_TIMEOUT' })
  })

  it('report a model without a connection, unless that is our own fault', () => {
    const tally = createFailureTally({ failureLimit: 1, timeoutLimit: 1 })
    const ours = notRunningAnswer('coordinator', '', null)
    const theirs = notRunningAnswer('model', '', null)
    for (let round = 0; round < 5; round += 1) expect(tally.record([ours])).toBeUndefined()
    expect(tally.record([theirs])).toBeUndefined()
    expect(tally.record([theirs])).toMatchObject({ code: 'CONNECTION_FAILED' })
  })

  it('are never given for a limit of 0', () => {
    const tally = createFailureTally({ failureLimit: 0, timeoutLimit: 0 })
    for (let round = 0; round < 500; round += 1) expect(tally.record([failed, late])).toBeUndefined()
  })

  it('quote the last failure', () => {
    const tally = createFailureTally({ failureLimit: 1, timeoutLimit: 1 })
    expect(tally.record([failed, failed])).toEqual({ code: 'MULTIPLE_FAILED', reason: '2 calls in a row failed: boom' })
  })
})
