import { describe, expect, it } from 'vitest'
import type { ModelAnswer } from '../../../../ports/model-runner.ts'
import { absentAnswer, busyAnswer, failedAnswer, notRunningAnswer, timeoutAnswer } from '../../model-answers.ts'
import { createFailureTally, type FailureTally, type TallyLimits, type TallyStep } from './failure-tally.ts'

const answered: ModelAnswer = { status: 'answered', output: 1, durationMs: 1 }
const late = timeoutAnswer(10, 10)
const failed = failedAnswer({ reason: 'model_error', blame: 'model', detail: 'boom', durationMs: 1 })
const gone = notRunningAnswer('model', 'connection refused', null)

const minuteMs = 60_000

/** A tally whose clock only a test advances; without limits of the test it never gives up. */
function tallyOf(limits: Partial<TallyLimits> = {}): FailureTally {
  return createFailureTally({ failureLimit: 0, timeoutLimit: 0, silenceLimitMs: 0, now: () => 0, ...limits })
}

/** One dispatch of `predict` calls; the health service says that it is serving. */
function dispatch(tally: FailureTally, answers: readonly ModelAnswer[], method = 'predict'): TallyStep {
  const step = tally.skip([method]) ?? tally.record(answers.map((answer) => ({ method, answer })))
  return step.kind === 'check-health' ? tally.recordHealth(true) : step
}

function verdictOf(step: TallyStep) {
  return step.kind === 'give-up' ? step.verdict : undefined
}

/** Number of dispatches, and time, until a model that always answers like this is given up. */
function lifeOf(answer: ModelAnswer, everyMs: number, timeoutMs: number) {
  let nowMs = 0
  const tally = createFailureTally({
    failureLimit: 100,
    timeoutLimit: 100,
    silenceLimitMs: 30 * minuteMs,
    now: () => nowMs,
  })
  for (let dispatches = 1; dispatches < 10_000; dispatches += 1) {
    let step = tally.skip(['predict'])
    if (step === undefined) {
      nowMs += timeoutMs
      step = tally.record([{ method: 'predict', answer }])
    }
    if (step.kind === 'check-health') step = tally.recordHealth(true)
    if (step.kind === 'give-up') return { dispatches, minutes: nowMs / minuteMs, verdict: step.verdict }
    nowMs = Math.max(nowMs, dispatches * everyMs)
  }
  throw new Error('the model is never given up')
}

describe('a model that always hangs is given up', () => {
  it.each([
    ['a dispatch a second, 10 s to answer', 1_000, 10_000, 3],
    ['a dispatch a second, 60 s to answer', 1_000, 60_000, 15],
    ['a dispatch a minute, 10 s to answer', minuteMs, 10_000, 33],
    ['a dispatch a minute, 60 s to answer', minuteMs, 60_000, 33],
    ['a dispatch an hour, 60 s to answer', 60 * minuteMs, 60_000, 11 * 60],
  ])('in bounded time: %s', (_, everyMs, timeoutMs, minutes) => {
    const life = lifeOf(late, everyMs, timeoutMs)
    expect(life.minutes).toBeLessThanOrEqual(minutes)
    expect(life.dispatches).toBeLessThanOrEqual(101)
    expect(life.verdict).toMatchObject({ code: 'MULTIPLE_TIMEOUT' })
  })

  it('after at least 10 dispatches, and never with a limit of 0', () => {
    expect(lifeOf(late, 24 * 60 * minuteMs, minuteMs).dispatches).toBe(10)
    let nowMs = 0
    const tally = tallyOf({ silenceLimitMs: 1, now: () => nowMs })
    for (let round = 0; round < 500; round += 1) {
      nowMs += minuteMs
      expect(dispatch(tally, [failed, late])).toEqual({ kind: 'go-on' })
    }
  })
})

describe('the cool-down of a model that does not answer in time', () => {
  it('grows with each time-out, and the model is given up after as many dispatches as without it', () => {
    const tally = tallyOf({ timeoutLimit: 100 })
    let calls = ''
    let step: TallyStep = { kind: 'go-on' }
    while (step.kind !== 'give-up') {
      const skipped = tally.skip(['predict'])
      calls += skipped === undefined ? 'C' : 's'
      step = skipped ?? tally.record([{ method: 'predict', answer: late }])
      if (step.kind === 'check-health') step = tally.recordHealth(true)
    }
    expect(calls).toHaveLength(101)
    expect(calls.slice(0, 13)).toBe('CCsCssCssssCs')
    expect(calls.replaceAll('s', '').length).toBeLessThan(15)
    expect(verdictOf(step)).toMatchObject({ code: 'MULTIPLE_TIMEOUT' })
  })

  it('lasts at most a minute, so that a recovered model is noticed', () => {
    let nowMs = 0
    const tally = tallyOf({ now: () => nowMs })
    for (let round = 0; round < 40; round += 1) dispatch(tally, [late])
    let skipped = 0
    while (tally.skip(['predict']) !== undefined) {
      skipped += 1
      nowMs += 10_000
    }
    expect(skipped).toBeGreaterThan(0)
    expect(skipped).toBeLessThanOrEqual(6)
    nowMs += minuteMs
    expect(tally.skip(['predict'])).toBeUndefined()
  })

  it('does not start for a model that is busy with one slow call', () => {
    const tally = tallyOf({ timeoutLimit: 20 })
    dispatch(tally, [late])
    for (let round = 0; round < 20; round += 1) {
      expect(tally.skip(['predict'])).toBeUndefined()
      dispatch(tally, [busyAnswer(1)])
    }
    expect(verdictOf(dispatch(tally, [busyAnswer(1)]))).toMatchObject({ code: 'MULTIPLE_TIMEOUT' })
  })

  it('applies to the hanging method only: dispatches of other methods are sent', () => {
    const tally = tallyOf({ timeoutLimit: 100 })
    dispatch(tally, [late])
    dispatch(tally, [late])
    expect(tally.skip(['tick'])).toBeUndefined()
    expect(tally.skip(['tick', 'predict'])).toEqual({ kind: 'go-on' })
  })
})

describe('counters', () => {
  it('tolerate as many failures as the limit, and no more', () => {
    const tally = tallyOf({ failureLimit: 3 })
    expect(dispatch(tally, [failed, failed, failed])).toEqual({ kind: 'go-on' })
    expect(verdictOf(dispatch(tally, [failed]))).toEqual({
      code: 'MULTIPLE_FAILED',
      reason: 'predict failed 4 times in a row, the last time with model_error: boom',
    })
  })

  it('of failures and time-outs are both reset by a success', () => {
    const tally = tallyOf({ failureLimit: 2, timeoutLimit: 2 })
    for (let round = 0; round < 10; round += 1) {
      for (const answer of [failed, failed, late, answered]) {
        expect(dispatch(tally, [answer])).toEqual({ kind: 'go-on' })
      }
      expect(dispatch(tally, [late])).toEqual({ kind: 'go-on' })
      expect(dispatch(tally, [answered])).toEqual({ kind: 'go-on' })
    }
  })

  it('of failures are not reset by a time-out', () => {
    const tally = tallyOf({ failureLimit: 2, timeoutLimit: 100 })
    for (const answer of [failed, late, failed, busyAnswer(1)]) expect(dispatch(tally, [answer]).kind).toBe('go-on')
    expect(verdictOf(dispatch(tally, [failed]))).toMatchObject({ code: 'MULTIPLE_FAILED' })
  })

  it('of time-outs are not reset by a failure', () => {
    const tally = tallyOf({ failureLimit: 100, timeoutLimit: 2 })
    for (const answer of [busyAnswer(1), failed, busyAnswer(1), failed]) {
      expect(dispatch(tally, [answer]).kind).toBe('go-on')
    }
    expect(verdictOf(dispatch(tally, [busyAnswer(1)]))).toMatchObject({ code: 'MULTIPLE_TIMEOUT' })
  })

  it('are kept per method: a successful tick does not reset a predict that fails or hangs', () => {
    const wrong = tallyOf({ failureLimit: 2, timeoutLimit: 100 })
    const slow = tallyOf({ failureLimit: 100, timeoutLimit: 2 })
    for (let round = 0; round < 2; round += 1) {
      expect(dispatch(wrong, [failed])).toEqual({ kind: 'go-on' })
      expect(dispatch(slow, [busyAnswer(1)])).toEqual({ kind: 'go-on' })
      for (const tally of [wrong, slow]) dispatch(tally, [answered], 'tick')
    }
    expect(verdictOf(dispatch(wrong, [failed]))).toMatchObject({ code: 'MULTIPLE_FAILED' })
    expect(verdictOf(dispatch(slow, [busyAnswer(1)]))).toMatchObject({ code: 'MULTIPLE_TIMEOUT' })
  })

  it('count one time-out per dispatch, even after a quick first answer', () => {
    const tally = tallyOf({ timeoutLimit: 2 })
    expect(dispatch(tally, [answered, late, late, late]).kind).toBe('go-on')
    expect(dispatch(tally, [answered, busyAnswer(1)]).kind).toBe('go-on')
    expect(verdictOf(dispatch(tally, [answered, late]))).toEqual({
      code: 'MULTIPLE_TIMEOUT',
      reason:
        'no answer in time 3 times in a row, over 0 s; the last call was predict (timeout: the model did not answer within 10 ms of the dispatch)',
    })
  })

  it('count a missing connection, unless the coordinator is to blame', () => {
    const tally = tallyOf({ timeoutLimit: 1 })
    const ours = notRunningAnswer('coordinator', '', null)
    for (let round = 0; round < 5; round += 1) expect(dispatch(tally, [ours])).toEqual({ kind: 'go-on' })
    expect(dispatch(tally, [gone])).toEqual({ kind: 'go-on' })
    expect(verdictOf(dispatch(tally, [gone]))).toEqual({
      code: 'CONNECTION_FAILED',
      reason: 'no connection 2 times in a row; the last call was predict (not_running: connection refused)',
    })
  })

  it('ignore everything that the coordinator is to blame for', () => {
    const tally = tallyOf({ failureLimit: 1, timeoutLimit: 1 })
    const fault = { reason: 'invalid_call', blame: 'coordinator', detail: '', durationMs: 1 } as const
    for (let round = 0; round < 5; round += 1) {
      expect(dispatch(tally, [failedAnswer(fault), absentAnswer({ ...fault, reason: 'no_room' })])).toEqual({
        kind: 'go-on',
      })
    }
  })

  it('ignore a refused call, which is judged together with the answers of the other models', () => {
    const tally = tallyOf({ failureLimit: 1, timeoutLimit: 1 })
    const fault = { blame: 'model', detail: '', durationMs: 1 } as const
    for (let round = 0; round < 5; round += 1) {
      const refusals = [
        failedAnswer({ ...fault, reason: 'invalid_call' }),
        absentAnswer({ ...fault, reason: 'access_denied' }),
      ]
      expect(dispatch(tally, refusals)).toEqual({ kind: 'go-on' })
    }
    tally.recordJudgement('predict', 'invalid_call: no')
    expect(verdictOf(tally.recordJudgement('predict', 'invalid_call: no'))).toMatchObject({ code: 'MULTIPLE_FAILED' })
  })

  it('count answers that violate the schema, until one is accepted', () => {
    const tally = tallyOf({ failureLimit: 2 })
    for (let round = 0; round < 5; round += 1) {
      dispatch(tally, [answered])
      expect(tally.recordJudgement('predict', 'value: too big')).toEqual({ kind: 'go-on' })
      dispatch(tally, [answered])
      expect(tally.recordJudgement('predict', 'value: too big')).toEqual({ kind: 'go-on' })
      dispatch(tally, [answered])
      expect(tally.recordJudgement('predict', null)).toEqual({ kind: 'go-on' })
    }
    for (let round = 0; round < 2; round += 1) tally.recordJudgement('predict', 'value: too big')
    expect(verdictOf(tally.recordJudgement('predict', 'invalid_output: value: NaN'))).toEqual({
      code: 'MULTIPLE_FAILED',
      reason: 'predict returned an unusable answer 3 times in a row, the last time invalid_output: value: NaN',
    })
  })

  it('give up a model that lacks the method at once', () => {
    const missing = failedAnswer({ reason: 'bad_implementation', blame: 'model', detail: 'no predict', durationMs: 1 })
    expect(verdictOf(dispatch(tallyOf(), [answered, missing, answered]))).toEqual({
      code: 'BAD_IMPLEMENTATION',
      reason: 'predict ended with bad_implementation: no predict',
    })
  })
})

describe('the health check', () => {
  const record = (tally: FailureTally, answer: ModelAnswer) => tally.record([{ method: 'predict', answer }])

  it.each([late, busyAnswer(1), gone])('is due at each fifth of the limit, before $reason counts', (answer) => {
    const tally = tallyOf({ timeoutLimit: 10 })
    const kinds = Array.from({ length: 11 }, () => {
      const step = record(tally, answer)
      return step.kind === 'check-health' ? `check, ${tally.recordHealth(true).kind}` : step.kind
    })
    const pair = ['check, go-on', 'go-on']
    expect(kinds).toEqual(['go-on', 'go-on', ...pair, ...pair, ...pair, ...pair, 'check, give-up'])
  })

  it('requests a new connection without counting, at most 3 times before the next success', () => {
    const tally = tallyOf({ timeoutLimit: 1 })
    for (let life = 0; life < 2; life += 1) {
      expect(record(tally, busyAnswer(1))).toEqual({ kind: 'go-on' })
      for (let again = 0; again < 3; again += 1) {
        expect(record(tally, busyAnswer(1))).toEqual({ kind: 'check-health' })
        expect(tally.recordHealth(false)).toMatchObject({ kind: 'reconnect', reason: expect.stringContaining('busy') })
      }
      if (life === 0) record(tally, answered)
    }
    expect(record(tally, busyAnswer(1))).toMatchObject({ kind: 'give-up' })
  })

  it('is also due for a model that is in a cool-down', () => {
    const tally = tallyOf({ timeoutLimit: 5 })
    record(tally, late)
    expect(record(tally, late).kind).toBe('check-health')
    tally.recordHealth(true)
    tally.skip(['predict'])
    expect(tally.skip(['predict'])).toEqual({ kind: 'check-health' })
    expect(tally.recordHealth(false)).toMatchObject({ kind: 'reconnect' })
  })
})
