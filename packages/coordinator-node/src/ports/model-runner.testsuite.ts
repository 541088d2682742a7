import { afterEach, describe, expect, it } from 'vitest'
import type { ModelIdentity } from '../domain/models/model.ts'
import type { ModelAnswer, ModelCall, ModelRunner } from './model-runner.ts'

export interface SuiteModel {
  readonly identity: ModelIdentity
  readonly model: object
}

export interface OpenedRunner {
  readonly runner: ModelRunner
  /** Ends the runner and everything behind it. */
  close(): Promise<void>
}

/** Long enough for every answer on a busy machine; a hanging call gets `HANGING_MS` instead. */
const TIMEOUT_MS = 10_000
const HANGING_MS = 150

/** Conformance suite for model runners. `open` sets the models up and resolves when all can be called. */
export function testModelRunner(name: string, open: (models: readonly SuiteModel[]) => Promise<OpenedRunner>): void {
  let opened: OpenedRunner | undefined

  afterEach(async () => {
    await opened?.close()
    opened = undefined
  })

  async function start(models: Readonly<Record<string, object>>): Promise<ModelRunner> {
    opened = await open(Object.entries(models).map(([id, model]) => ({ identity: identityOf(id), model })))
    return opened.runner
  }

  describe(name, () => {
    describeAnswers(start)
    describeArguments(start)
    describeModelFaults(start)
    describeTime(start)
    describeResults(start)
  })
}

type Start = (models: Readonly<Record<string, object>>) => Promise<ModelRunner>

function describeAnswers(start: Start): void {
  it('returns answers ordered by id, one per call, in the order of the calls', async () => {
    const runner = await start({ b: new Recorder(), a: new Recorder(), c: new Recorder() })
    expect(runner.models().map(({ id }) => id)).toEqual(['a', 'b', 'c'])
    const all = await runner.dispatch([call('note', 'x'), call('note', 'y'), call('history')], TIMEOUT_MS)
    expect(all.map(({ modelId }) => modelId)).toEqual(['a', 'b', 'c'])
    for (const { answers } of all) expect(answers.map(outputOf)).toEqual(['x', 'y', ['x', 'y']])
    for (const answer of all.flatMap(({ answers }) => answers)) expect(answer.durationMs).toBeGreaterThanOrEqual(0)
  })

  it('is reachable and reports existing models to a late listener', async () => {
    const runner = await start({ a: new Recorder(), b: new Recorder() })
    const seen: string[] = []
    const stop = runner.onModel(({ id }) => seen.push(id))
    expect(seen).toEqual(['a', 'b'])
    expect(runner.reachable()).toBe(true)
    stop()
  })

  it('keeps the order of dispatches that are not awaited', async () => {
    const runner = await start({ slow: new SlowRecorder(), quick: new Recorder() })
    const dispatches = Array.from({ length: 10 }, (_, index) =>
      runner.dispatch([call('note', `${index}a`), call('note', `${index}b`)], TIMEOUT_MS),
    )
    await Promise.all(dispatches)
    const expected = Array.from({ length: 10 }, (_, index) => [`${index}a`, `${index}b`]).flat()
    const histories = await runner.dispatch([call('history')], TIMEOUT_MS)
    for (const { answers } of histories) expect(answers.map(outputOf)).toEqual([expected])
  })

  it('waits for asynchronous methods', async () => {
    const runner = await start({ a: new SlowRecorder() })
    expect((await dispatchToOne(runner, [call('note', 'x')])).map(outputOf)).toEqual(['x'])
  })

  it('has no models after it is closed', async () => {
    const runner = await start({ a: new Echo() })
    await runner.close()
    expect(runner.models()).toEqual([])
    expect(await runner.dispatch([call('all')], TIMEOUT_MS)).toEqual([])
  })
}

function describeArguments(start: Start): void {
  it('passes the arguments in order and with their types', async () => {
    const runner = await start({ a: new Echo() })
    const answers = await dispatchToOne(runner, [
      {
        method: 'all',
        arguments: [
          { type: 'STRING', value: 'BTCUSDT ü' },
          { type: 'INT', value: 60 },
          { type: 'DOUBLE', value: 0.5 },
          { type: 'JSON', value: { nested: [1, null, 'x', true], absent: undefined } },
        ],
      },
    ])
    expect(answers.map(outputOf)).toEqual([['BTCUSDT ü', 60, 0.5, { nested: [1, null, 'x', true] }]])
  })

  it('gives each model and each call its own copy of the input', async () => {
    const runner = await start({ a: new Mutator(), b: new Mutator() })
    const input = { values: [1, 2, 3] }
    const calls: ModelCall[] = [1, 2].map(() => ({ method: 'sum', arguments: [{ type: 'JSON', value: input }] }))
    const all = await runner.dispatch(calls, TIMEOUT_MS)
    for (const { answers } of all) expect(answers.map(outputOf)).toEqual([6, 6])
    expect(input).toEqual({ values: [1, 2, 3] })
  })

  it('rejects arguments that cannot be sent, without blaming a model', async () => {
    const runner = await start({ a: new Echo() })
    const notWhole: ModelCall = { method: 'all', arguments: [{ type: 'INT', value: 1.5 }] }
    const notFinite: ModelCall = { method: 'all', arguments: [{ type: 'JSON', value: { x: Number.NaN } }] }
    await expect(runner.dispatch([notWhole], TIMEOUT_MS)).rejects.toThrow('1.5')
    await expect(runner.dispatch([notFinite], TIMEOUT_MS)).rejects.toThrow('NaN')
  })
}

function describeModelFaults(start: Start): void {
  it('reports what a failing model threw, and continues with its next call and the other models', async () => {
    const runner = await start({ bad: new Faulty(), good: new Faulty() })
    const [bad, good] = await runner.dispatch([call('failFor', 'bad'), call('fine')], TIMEOUT_MS)
    expect(bad).toMatchObject({ answers: [{ status: 'failed', reason: 'model_error', blame: 'model' }, {}] })
    const [first, second] = bad!.answers
    expect(first).toHaveProperty('detail', expect.stringContaining('no idea about bad'))
    expect(outputOf(second!)).toBe('fine')
    expect(good!.answers).toHaveLength(2)
  })

  it('reports what an asynchronous model threw', async () => {
    const runner = await start({ a: new Faulty() })
    const [answer] = await dispatchToOne(runner, [call('failLater')])
    expect(answer).toMatchObject({ status: 'failed', reason: 'model_error', blame: 'model' })
    expect(answer).toHaveProperty('detail', expect.stringContaining('later is no better'))
  })

  it('shortens long error texts', async () => {
    const runner = await start({ a: new Faulty() })
    const [answer] = await dispatchToOne(runner, [call('failAtLength')])
    expect(answer).toMatchObject({ status: 'failed', reason: 'model_error' })
    expect(answer).toHaveProperty('detail.length', 2_000)
  })

  it('names the missing method and the class', async () => {
    const runner = await start({ a: new Faulty() })
    const [answer] = await dispatchToOne(runner, [call('predict'), call('fine')])
    expect(answer).toMatchObject({
      status: 'failed',
      reason: 'bad_implementation',
      blame: 'model',
      detail: 'Method "predict" not found in class "Faulty"',
    })
  })
}

function describeTime(start: Start): void {
  it('times out a hanging model without affecting others, and makes no further call of that dispatch', async () => {
    const hanging = new Gate()
    const runner = await start({ a: new Gate(true), hanging, z: new Gate(true) })
    const all = await runner.dispatch([call('wait', 'first'), call('wait', 'second')], HANGING_MS)
    const [a, stuck, z] = all.map(({ answers }) => answers)
    for (const answers of [a!, z!]) expect(answers.map(outputOf)).toEqual(['first', 'second'])
    expect(stuck).toMatchObject([
      { status: 'absent', reason: 'timeout', blame: 'model', durationMs: expect.any(Number) },
      { status: 'absent', reason: 'timeout', blame: 'model', durationMs: null },
    ])
    expect(hanging.received).toEqual(['first'])
    hanging.open()
  })

  it('drops the late answer of a timed-out call, and never shifts later answers', async () => {
    const gate = new Gate()
    const runner = await start({ a: gate })
    const [late] = await dispatchToOne(runner, [call('wait', 'late')], HANGING_MS)
    expect(late).toMatchObject({ status: 'absent', reason: 'timeout' })
    gate.open()
    await expect.poll(async () => outputs(await dispatchToOne(runner, [call('wait', 'next')]))).toEqual(['next'])
    expect(outputs(await dispatchToOne(runner, [call('wait', 'x'), call('wait', 'y')]))).toEqual(['x', 'y'])
  })

  it('reports a model as busy while a timed-out call is still running', async () => {
    const gate = new Gate()
    const runner = await start({ a: gate })
    await dispatchToOne(runner, [call('wait', 'late')], HANGING_MS)
    const [answer] = await dispatchToOne(runner, [call('wait', 'next')])
    expect(answer).toMatchObject({ status: 'absent', reason: 'busy', blame: 'model' })
    expect(gate.received).toEqual(['late'])
    gate.open()
  })

  it('queues later dispatches behind an earlier one, and times out those whose deadline passes meanwhile', async () => {
    const gate = new Gate()
    const runner = await start({ a: gate })
    const first = dispatchToOne(runner, [call('wait', 'first')])
    const second = dispatchToOne(runner, [call('wait', 'second')], HANGING_MS)
    const third = dispatchToOne(runner, [call('wait', 'third')])
    expect(await second).toMatchObject([{ status: 'absent', reason: 'timeout', durationMs: null }])
    gate.open()
    expect(outputs(await first)).toEqual(['first'])
    expect(outputs(await third)).toEqual(['third'])
    expect(gate.received).toEqual(['first', 'third'])
  })

  it('lets at most 64 dispatches wait for one model', async () => {
    const gate = new Gate()
    const runner = await start({ a: gate })
    const dispatches = Array.from({ length: 66 }, () => dispatchToOne(runner, [call('wait', 'x')]))
    expect(await dispatches.at(-1)).toMatchObject([{ status: 'absent', reason: 'queue_full', blame: 'model' }])
    gate.open()
    const earlier = await Promise.all(dispatches.slice(0, 65))
    expect(new Set(earlier.flatMap(outputs))).toEqual(new Set(['x']))
  })
}

function describeResults(start: Start): void {
  const expected: readonly (readonly [string, unknown])[] = [
    ['nothing', null],
    ['null', null],
    ['true', 1],
    ['false', 0],
    ['text', 'ü €'],
    ['number', -0.25],
    ['whole', 7],
    ['nan', Number.NaN],
    ['infinite', Number.POSITIVE_INFINITY],
    ['object', { value: 0.5, flags: [true, null] }],
    ['date', '2026-01-02T03:04:05.000Z'],
  ]

  it('converts results as gRPC does', async () => {
    const runner = await start({ a: new Results() })
    const answers = await dispatchToOne(
      runner,
      expected.map(([kind]) => call('give', kind)),
    )
    expect(outputs(answers)).toEqual(expected.map(([, output]) => output))
  })

  it.each(['nanInside', 'function', 'symbol', 'map', 'typedArray', 'cycle', 'hugeInteger'])(
    'treats a result that cannot be sent as an error of the model: %s',
    async (kind) => {
      const runner = await start({ a: new Results(), b: new Results() })
      const all = await runner.dispatch([call('give', kind), call('give', 'text')], TIMEOUT_MS)
      for (const { answers } of all) {
        expect(answers[0]).toMatchObject({ status: 'failed', reason: 'model_error', blame: 'model' })
        expect(outputOf(answers[1]!)).toBe('ü €')
      }
    },
  )
}

async function dispatchToOne(
  runner: ModelRunner,
  calls: readonly ModelCall[],
  timeoutMs = TIMEOUT_MS,
): Promise<readonly ModelAnswer[]> {
  const all = await runner.dispatch(calls, timeoutMs)
  expect(all).toHaveLength(1)
  return all[0]!.answers
}

function call(method: string, ...texts: readonly string[]): ModelCall {
  return { method, arguments: texts.map((value) => ({ type: 'STRING', value })) }
}

function outputs(answers: readonly ModelAnswer[]): unknown[] {
  return answers.map(outputOf)
}

/** The output, or the whole answer if there is none, so that a failing expectation shows the reason. */
function outputOf(answer: ModelAnswer): unknown {
  return answer.status === 'answered' ? answer.output : answer
}

function identityOf(id: string): ModelIdentity {
  return {
    id,
    name: `model ${id}`,
    deploymentId: `${id}_1`,
    cruncherId: `cruncher-${id}`,
    cruncherName: `Cruncher ${id}`,
  }
}

class Recorder {
  readonly notes: string[] = []

  note(text: string): string {
    this.notes.push(text)
    return text
  }

  history(): readonly string[] {
    return this.notes
  }
}

class SlowRecorder {
  readonly notes: string[] = []

  async note(text: string): Promise<string> {
    await new Promise((resolve) => setImmediate(resolve))
    this.notes.push(text)
    return text
  }

  history(): readonly string[] {
    return this.notes
  }
}

class Echo {
  all(...values: readonly unknown[]): readonly unknown[] {
    return values
  }
}

class Mutator {
  sum(input: { values: number[] }): number {
    let sum = 0
    while (input.values.length > 0) sum += input.values.pop()!
    return sum
  }
}

class Faulty {
  failFor(name: string): never {
    throw new RangeError(`no idea about ${name}`)
  }

  async failLater(): Promise<never> {
    await Promise.resolve()
    throw new Error('later is no better')
  }

  failAtLength(): never {
    throw new Error('x'.repeat(3_000))
  }

  fine(): string {
    return 'fine'
  }
}

/** Blocks every call until it is opened. */
class Gate {
  readonly received: string[] = []
  readonly #opened: Promise<void>
  open: () => void = () => {}

  constructor(isOpen = false) {
    this.#opened = new Promise((resolve) => {
      this.open = resolve
    })
    if (isOpen) this.open()
  }

  async wait(text: string): Promise<string> {
    this.received.push(text)
    await this.#opened
    return text
  }
}

class Results {
  give(kind: string): unknown {
    return makers[kind]!()
  }
}

const makers: Readonly<Record<string, () => unknown>> = {
  nothing: () => undefined,
  null: () => null,
  true: () => true,
  false: () => false,
  text: () => 'ü €',
  number: () => -0.25,
  whole: () => 7,
  nan: () => Number.NaN,
  infinite: () => Number.POSITIVE_INFINITY,
  object: () => ({ value: 0.5, flags: [true, null], absent: undefined }),
  date: () => new Date('2026-01-02T03:04:05Z'),
  nanInside: () => ({ value: [Number.NaN] }),
  function: () => () => 1,
  symbol: () => Symbol('x'),
  map: () => new Map([['value', 1]]),
  typedArray: () => new Float64Array(2),
  cycle: () => {
    const circle: Record<string, unknown> = {}
    circle.self = circle
    return circle
  },
  hugeInteger: () => 2n ** 64n,
}
