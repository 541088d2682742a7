import { CallResponse, type Status, VariantType } from '@crunch/model-protocol'
import { status } from '@grpc/grpc-js'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { ModelAnswer } from '../../../../ports/model-runner.ts'
import { RawAnswer, RawFailure } from '../testing/object-server.ts'
import { ask, call, openScene, type Scene, stateOf } from '../testing/scene.ts'

let scene: Scene

beforeEach(async () => {
  scene = await openScene()
})

afterEach(() => scene.close())

/** What a round records of an answer, if its schema accepts it. */
const recorded = { answered: 'PENDING', failed: 'FAILED', absent: 'ABSENT' } as const

type Outcome = readonly [record: 'PENDING' | 'FAILED' | 'ABSENT', reason?: string, blame?: 'model' | 'coordinator']

/** The report about a model whose calls all end like this, with a limit of one. */
type Report = 'BAD_IMPLEMENTATION' | 'MULTIPLE_FAILED' | 'MULTIPLE_TIMEOUT' | 'CONNECTION_FAILED' | 'nothing'

type Behaviour = () => unknown

const says =
  (code: string, message = '', type?: VariantType, value = ''): Behaviour =>
  () => {
    const methodResponse = type === undefined ? undefined : { type, value: Buffer.from(value) }
    return new RawAnswer(Buffer.from(CallResponse.encode({ status: { code, message }, methodResponse }).finish()))
  }

const fails =
  (code: status, details = ''): Behaviour =>
  () => {
    throw new RawFailure(code, details)
  }

const failure: Outcome = ['FAILED', 'model_error', 'model']
const nonsense: Outcome = ['FAILED', 'invalid_output', 'model']
const gone: Outcome = ['ABSENT', 'not_running', 'model']
/** Judged by the round, which knows the other models' answers to the same call. */
const refused: Outcome = ['ABSENT', 'access_denied', 'model']

describe('a Call', () => {
  it.each<[string, Behaviour, Outcome, Report, string?]>([
    // Status codes of the runner.
    ['SUCCESS with a value', says('SUCCESS', '', VariantType.JSON, '{"value": 0.5}'), ['PENDING'], 'nothing'],
    ['SUCCESS without a value', says('SUCCESS'), ['PENDING'], 'nothing'],
    [
      'BAD_IMPLEMENTATION',
      says('BAD_IMPLEMENTATION', 'Method "predict" not found in class "M"'),
      ['FAILED', 'bad_implementation', 'model'],
      'BAD_IMPLEMENTATION',
      'Method "predict" not found in class "M"',
    ],
    ['MODEL_FAILED', says('MODEL_FAILED', 'The model raised an exception: boom'), failure, 'MULTIPLE_FAILED', 'boom'],
    ['SETUP_FAILED', says('SETUP_FAILED', 'no weights'), failure, 'MULTIPLE_FAILED', 'no weights'],
    ['UNKNOWN', says('UNKNOWN'), failure, 'MULTIPLE_FAILED', "the model's runner answered UNKNOWN"],
    ['an unknown code', says('TOO_TIRED'), nonsense, 'MULTIPLE_FAILED', 'unknown status "TOO_TIRED"'],
    ['no code', says(''), nonsense, 'MULTIPLE_FAILED', 'unknown status ""'],
    [
      'INVALID_ARGUMENT',
      says('INVALID_ARGUMENT', 'methodName cannot be empty'),
      ['FAILED', 'invalid_call', 'model'],
      'nothing',
      'methodName cannot be empty',
    ],
    [
      'FAILED_PRECONDITION, also after a Setup',
      says('FAILED_PRECONDITION', 'Setup has not been called yet'),
      gone,
      'CONNECTION_FAILED',
      'cannot be set up again',
    ],
    // Unreadable answers.
    [
      'bytes that are not a message',
      () => new RawAnswer(Buffer.from([0x0a, 0xff])),
      nonsense,
      'MULTIPLE_FAILED',
      'not a CallResponse',
    ],
    [
      'an invalid value',
      says('SUCCESS', '', VariantType.DOUBLE, 'abc'),
      nonsense,
      'MULTIPLE_FAILED',
      'DOUBLE needs 8 bytes',
    ],
    [
      'a value of a type that is not supported',
      says('SUCCESS', '', VariantType.ARROW, 'ARROW1'),
      nonsense,
      'MULTIPLE_FAILED',
      'ARROW is not supported',
    ],
    [
      'a value that is too large',
      () => 'x'.repeat(5 * 1024 * 1024),
      ['FAILED', 'output_too_large', 'model'],
      'MULTIPLE_FAILED',
      'the answer has 5242',
    ],
    // Transport failures.
    ['DEADLINE_EXCEEDED', fails(status.DEADLINE_EXCEEDED), ['ABSENT', 'timeout', 'model'], 'MULTIPLE_TIMEOUT'],
    [
      'no answer within the time limit',
      () => new Promise(() => {}),
      ['ABSENT', 'timeout', 'model'],
      'MULTIPLE_TIMEOUT',
      'within 300 ms',
    ],
    [
      'RESOURCE_EXHAUSTED, "Server busy"',
      fails(status.RESOURCE_EXHAUSTED, 'Server busy'),
      ['ABSENT', 'busy', 'model'],
      'MULTIPLE_TIMEOUT',
    ],
    ['UNAVAILABLE', fails(status.UNAVAILABLE, 'down'), gone, 'CONNECTION_FAILED', 'down'],
    ['CANCELLED', fails(status.CANCELLED), gone, 'CONNECTION_FAILED'],
    ['UNIMPLEMENTED', fails(status.UNIMPLEMENTED), gone, 'CONNECTION_FAILED', 'not a model runner'],
    ['UNAUTHENTICATED', fails(status.UNAUTHENTICATED, 'who are you'), refused, 'nothing', 'who are you'],
    ['PERMISSION_DENIED', fails(status.PERMISSION_DENIED), refused, 'nothing'],
    ['INTERNAL', fails(status.INTERNAL, 'segfault'), failure, 'MULTIPLE_FAILED', 'INTERNAL: segfault'],
    ['an unknown error', fails(status.UNKNOWN, 'odd'), failure, 'MULTIPLE_FAILED', 'UNKNOWN: odd'],
  ])('that ends with %s', async (_, predict, [record, reason, blame], report, text = '') => {
    const server = await scene.serve({ predict, echo: (said: string) => said })
    scene.orchestrator.list([stateOf('a', server.port)])
    const runner = await scene.connect({ failureLimit: 1, timeoutLimit: 1 })
    const answers: ModelAnswer[] = []
    // Only a call that is to time out may meet its limit.
    const limitMs = reason === 'timeout' ? 300 : 10_000
    for (let round = 0; round < 4; round += 1) {
      answers.push(...((await ask(runner, [call('predict')], limitMs)).a ?? []))
    }
    const [first] = answers
    expect(recorded[first!.status]).toBe(record)
    // Milliseconds of this call alone.
    if (reason !== 'not_running') expect(first!.durationMs).toBeGreaterThan(0)
    expect(first!.durationMs ?? 0).toBeLessThan(2_000)
    if (first!.status !== 'answered') {
      expect(first).toMatchObject({ reason, blame, detail: expect.stringContaining(text) })
    }
    if (report === 'nothing') {
      expect(answers).toHaveLength(4)
      expect((await ask(runner, [call('echo', 'x')])).a).toMatchObject([{ output: 'x' }])
      expect(scene.orchestrator.reports).toEqual([])
      return
    }
    await expect
      .poll(() => scene.orchestrator.reports)
      .toMatchObject([
        { model_id: 'a', failure_code: report, failure_reason: expect.stringContaining('predict'), ip: '127.0.0.1' },
      ])
    // A model that is still working on a call reports busy for the next one.
    if (reason !== 'timeout') {
      expect(scene.orchestrator.reports[0]!.failure_reason).toContain(reason)
      expect(scene.orchestrator.reports[0]!.failure_reason).toContain(text)
    }
    expect(runner.models()).toEqual([])
  })

  it('that is skipped because of repeated time-outs is recorded as such', async () => {
    const server = await scene.serve({ predict: fails(status.DEADLINE_EXCEEDED) })
    scene.orchestrator.list([stateOf('a', server.port)])
    const runner = await scene.connect()
    for (let round = 0; round < 2; round += 1) await ask(runner, [call('predict')])
    expect((await ask(runner, [call('predict')])).a).toMatchObject([
      {
        status: 'absent',
        reason: 'timeout',
        blame: 'model',
        durationMs: null,
        detail: expect.stringContaining('not called this time'),
      },
    ])
    expect(server.calls).toBe(2)
  })

  it('whose answer is rejected repeatedly is a failure too', async () => {
    const server = await scene.serve({ predict: () => ({ value: Number.NaN }), echo: () => 'x' })
    scene.orchestrator.list([stateOf('a', server.port)])
    const runner = await scene.connect({ failureLimit: 1 })
    for (let round = 0; round < 2; round += 1) {
      expect(runner.models()).toHaveLength(1)
      runner.judge([
        { modelId: 'nobody', method: 'predict', problem: 'value: NaN' },
        { modelId: 'a', method: 'predict', problem: 'value: NaN' },
        { modelId: 'a', method: 'echo', problem: null },
      ])
    }
    expect(runner.models()).toEqual([])
    await expect
      .poll(() => scene.orchestrator.reports)
      .toMatchObject([{ failure_code: 'MULTIPLE_FAILED', failure_reason: expect.stringContaining('value: NaN') }])
  })

  it('that ends with FAILED_PRECONDITION is repeated after one Setup, because the runner was restarted', async () => {
    let isSetUp = false
    const forgotten = says('FAILED_PRECONDITION', 'Setup has not been called yet')
    const server = await scene.serve(
      { predict: () => (isSetUp ? 'here again' : forgotten()) },
      {
        setUp: async () => {
          isSetUp = server.setups > 1
          return { code: 'SUCCESS', message: '' }
        },
      },
    )
    scene.orchestrator.list([stateOf('a', server.port)])
    const runner = await scene.connect()
    expect((await ask(runner, [call('predict')])).a).toMatchObject([{ status: 'answered', output: 'here again' }])
    expect(server.setups).toBe(2)
    expect(scene.orchestrator.reports).toEqual([])
  })
})

describe('a Setup', () => {
  const answer = (code: string, message: string) => async (): Promise<Status> => ({ code, message })

  it.each<[string, () => Promise<Status>, 'ready' | 'doubted' | Report, string]>([
    ['created', answer('SUCCESS', 'Instance created successfully'), 'ready', ''],
    ['existing already', answer('SUCCESS', 'Instance already exists'), 'ready', ''],
    [
      'refused for its class name',
      answer('INVALID_ARGUMENT', 'class_name cannot be empty'),
      'doubted',
      'class_name cannot be empty',
    ],
    [
      'without a class that fits',
      answer('BAD_IMPLEMENTATION', 'No Inherited class found'),
      'BAD_IMPLEMENTATION',
      'Setup was answered with BAD_IMPLEMENTATION: No Inherited class found',
    ],
    [
      'with a constructor that fails',
      answer('SETUP_FAILED', 'no weights'),
      'MULTIPLE_FAILED',
      'Setup was answered with SETUP_FAILED: no weights',
    ],
    [
      'with a code of the future',
      answer('TOO_TIRED', ''),
      'MULTIPLE_FAILED',
      'Setup was answered with TOO_TIRED: no message',
    ],
    ['without a code', answer('', ''), 'MULTIPLE_FAILED', 'Setup was answered with no status: no message'],
    [
      'busy each time',
      () => Promise.reject(new RawFailure(status.RESOURCE_EXHAUSTED, 'Server busy')),
      'CONNECTION_FAILED',
      'no Setup in 2 attempts: Setup failed with RESOURCE_EXHAUSTED: Server busy',
    ],
    [
      'of something else',
      () => Promise.reject(new RawFailure(status.UNIMPLEMENTED, 'no such service')),
      'CONNECTION_FAILED',
      'UNIMPLEMENTED: no such service',
    ],
    ['with no end', () => new Promise(() => {}), 'CONNECTION_FAILED', 'no Setup in 2 attempts'],
  ])('that is %s', async (_, setUp, result, text) => {
    const server = await scene.serve({}, { setUp })
    scene.orchestrator.list([stateOf('a', server.port)])
    const runner = await scene.connect({ setupAttempts: 2, setupTimeoutMs: 200 })
    expect(runner.models()).toHaveLength(result === 'ready' ? 1 : 0)
    const doubts = scene.logged('a model cannot be set up, or the settings are wrong')
    expect(doubts.map(({ fields }) => fields.reason)).toEqual(
      result === 'doubted' ? [expect.stringContaining(text)] : [],
    )
    const reports = result === 'ready' || result === 'doubted' ? [] : [{ model_id: 'a', failure_code: result }]
    await expect.poll(() => scene.orchestrator.reports).toMatchObject(reports)
    for (const report of scene.orchestrator.reports) expect(report.failure_reason).toContain(text)
  })

  it('that is refused as busy once is retried', async () => {
    const server = await scene.serve(
      {},
      {
        setUp: () =>
          server.setups === 1
            ? Promise.reject(new RawFailure(status.RESOURCE_EXHAUSTED, 'Server busy'))
            : Promise.resolve({ code: 'SUCCESS', message: '' }),
      },
    )
    scene.orchestrator.list([stateOf('a', server.port)])
    expect((await scene.connect()).models()).toHaveLength(1)
    expect(server.setups).toBe(2)
  })
})
