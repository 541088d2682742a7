import { once } from 'node:events'
import { createServer } from 'node:net'
import { encodeVariant, ServingStatus } from '@crunch/model-protocol'
import { status } from '@grpc/grpc-js'
import { describe, expect, it, onTestFinished } from 'vitest'
import { startRunner } from '../test/start-runner.ts'
import { writeFolder } from '../test/temporary-folder.ts'
import { serveModel } from './serve.ts'

const BASE = 'tracker.TrackerBase'
const tracker = 'export abstract class TrackerBase {\n  abstract predict(subject: string): unknown\n}\n'
const main = `
import { TrackerBase } from './tracker.ts'

interface Remembered {
  closes: number[]
}

export default class Example extends TrackerBase {
  count = 0
  remembered: Remembered = { closes: [] }

  constructor(readonly first?: unknown, readonly second?: unknown) {
    super()
  }

  tick(data: Remembered): void {
    this.remembered = data
  }

  async predict(subject: string, horizon = 60, step = 15) {
    this.count += 1
    return { subject, horizon, step, count: this.count, closes: this.remembered.closes }
  }

  constructorValues() {
    return [this.first, this.second]
  }

  echo(value: unknown) {
    return value
  }

  invalid() {
    return { mean: Number.NaN }
  }

  fail() {
    throw new RangeError('no data yet')
  }

  throwText() {
    throw 'plain text'
  }

  throwAtLength() {
    throw new Error('x'.repeat(100_000))
  }

  hang() {
    return new Promise(() => {})
  }
}
`
const string = (value: string) => ({ type: 'STRING', value }) as const

describe('Setup', () => {
  it('creates the instance once and keeps its state across Setups', async () => {
    const runner = await startRunner({ 'main.ts': main, 'tracker.ts': tracker })
    expect(await runner.health()).toBe(ServingStatus.SERVING)
    expect(await runner.setup(BASE)).toEqual(['SUCCESS', 'Instance created successfully'])
    expect(await runner.call('predict', [string('BTC')])).toMatchObject(['SUCCESS', '', { count: 1 }])
    expect(await runner.setup('')).toEqual(['SUCCESS', 'Instance already exists'])
    expect(await runner.call('predict', [string('BTC')])).toMatchObject(['SUCCESS', '', { count: 2 }])
  })

  it('passes its arguments to the constructor in order of position, ignoring gaps', async () => {
    const runner = await startRunner({ 'main.ts': main, 'tracker.ts': tracker })
    const instanceArguments = [
      { position: 7, data: encodeVariant({ type: 'INT', value: 2 }) },
      { position: 3, data: encodeVariant(string('one')) },
    ]
    expect((await runner.setup(BASE, { instanceArguments }))[0]).toBe('SUCCESS')
    expect(await runner.call('constructorValues')).toEqual(['SUCCESS', '', ['one', 2]])
  })

  it('refuses names that cannot be a base class', async () => {
    const runner = await startRunner({ 'main.ts': main, 'tracker.ts': tracker })
    expect(await runner.setup('  ')).toEqual(['INVALID_ARGUMENT', 'class_name cannot be empty'])
    expect(await runner.setup('InvalidModel')).toEqual([
      'SETUP_FAILED',
      "Invalid class name 'InvalidModel'. Use 'module.ClassName' format.",
    ])
    const none = "No Inherited class found from <class 'cruncher.ModelBaseClass'>."
    expect(await runner.setup('cruncher.ModelBaseClass')).toEqual(['BAD_IMPLEMENTATION', none])
    const instanceKwArguments = [{ keyword: 'seed', data: encodeVariant({ type: 'INT', value: 1 }) }]
    expect(await runner.setup(BASE, { instanceKwArguments })).toEqual([
      'SETUP_FAILED',
      'a constructor in JavaScript takes no keyword arguments, got seed',
    ])
    // None of these failures left an instance behind.
    expect((await runner.setup(BASE))[0]).toBe('SUCCESS')
  })

  it('reports why code cannot be loaded, and the error of a constructor', async () => {
    const [broken, throwing] = await Promise.all([
      startRunner({ 'main.ts': 'const a: number = 1\nconst b = = a\n' }),
      startRunner({
        'tracker.ts': tracker,
        'main.ts':
          "import { TrackerBase } from './tracker.ts'\nexport class A extends TrackerBase {\n  predict() {}\n  constructor() {\n    super()\n    throw new Error('no weights')\n  }\n}",
      }),
    ])
    const [code, message] = await broken.setup(BASE)
    expect(code).toBe('BAD_IMPLEMENTATION')
    expect(message).toMatch(
      /^No Inherited class found from <class 'tracker\.TrackerBase'>\. .*main\.ts:2:\d+: Unexpected/,
    )
    expect(await throwing.setup(BASE)).toEqual(['SETUP_FAILED', 'no weights'])
    await expect
      .poll(throwing.stderr, { timeout: 10_000 })
      .toMatch(/Error: no weights\n\s+at new A \(.*main\.ts:6:11\)/)
  })
})

describe('Call', () => {
  it('answers every row of the status table', async () => {
    const runner = await startRunner({ 'main.ts': main, 'tracker.ts': tracker })
    expect(await runner.call('predict')).toEqual(['FAILED_PRECONDITION', 'Setup has not been called yet', 'absent'])
    await runner.setup(BASE)
    expect(await runner.call('')).toEqual(['INVALID_ARGUMENT', 'methodName cannot be empty', 'absent'])
    for (const name of ['nothing', 'toString', 'constructor', '__proto__']) {
      const message = `Method "${name}" not found in class "Example"`
      expect(await runner.call(name)).toEqual(['BAD_IMPLEMENTATION', message, 'absent'])
    }
    expect(await runner.call('tick', [{ type: 'JSON', value: { closes: [1.5] } }])).toEqual(['SUCCESS', '', 'absent'])
    const values = [string('BTC'), { type: 'INT', value: 300 }, { type: 'INT', value: 60 }] as const
    expect(await runner.call('predict', values)).toEqual([
      'SUCCESS',
      '',
      { subject: 'BTC', horizon: 300, step: 60, count: 1, closes: [1.5] },
    ])
    const raised = (text: string) => ['MODEL_FAILED', `The model raised an exception: ${text}`, 'absent']
    expect(await runner.call('fail')).toEqual(raised('no data yet'))
    expect(await runner.call('throwText')).toEqual(raised('plain text'))
    expect(await runner.call('count')).toEqual(raised('"count" is not a method'))
    expect(await runner.call('invalid')).toEqual(raised('$.mean is NaN, which JSON cannot express'))
    expect((await runner.call('throwAtLength'))[1].length).toBeLessThan(5_000)
  })

  it('reports arguments that cannot be decoded as a failure of the call', async () => {
    const runner = await startRunner({ 'main.ts': main, 'tracker.ts': tracker })
    await runner.setup(BASE)
    const keywords = [{ keyword: 'value', data: { type: 1, value: new Uint8Array(3) } }]
    expect(await runner.call('echo', [], { keywords })).toEqual([
      'MODEL_FAILED',
      'The model raised an exception: DOUBLE needs 8 bytes, got 3',
      'absent',
    ])
  })

  it("writes the stack, with the author's lines, only to the log", async () => {
    const runner = await startRunner({ 'main.ts': main, 'tracker.ts': tracker })
    await runner.setup(BASE)
    expect((await runner.call('fail'))[1]).not.toContain('main.ts')
    const line = main.split('\n').findIndex((text) => text.includes('no data yet')) + 1
    await expect
      .poll(runner.stderr, { timeout: 10_000 })
      .toMatch(new RegExp(`RangeError: no data yet\\n.*main\\.ts:${line}:11`))
  })

  it('passes keyword arguments by name, and drops unknown ones with one warning', async () => {
    const runner = await startRunner({ 'main.ts': main, 'tracker.ts': tracker })
    await runner.setup(BASE)
    const int = (value: number) => encodeVariant({ type: 'INT', value })
    const keywords = [
      { keyword: 'step', data: int(5) },
      { keyword: 'added_later', data: int(1) },
      { keyword: 'subject', data: int(9) },
    ]
    for (const count of [1, 2]) {
      const [code, , answer] = await runner.call('predict', [string('BTC')], { keywords })
      expect([code, answer]).toEqual(['SUCCESS', { subject: 'BTC', horizon: 60, step: 5, count, closes: [] }])
    }
    await runner.call('fail')
    await expect.poll(runner.stderr, { timeout: 10_000 }).toContain('no data yet')
    expect(runner.stderr().match(/WARNING {2}- predict has no parameters named added_later, subject/g)).toHaveLength(1)
  })

  it('returns answers beyond the default limit of gRPC (4 MiB)', async () => {
    const runner = await startRunner({ 'main.ts': main, 'tracker.ts': tracker })
    await runner.setup(BASE)
    const text = 'é'.repeat(8 * 1024 * 1024)
    const [code, , answer] = await runner.call('echo', [string(text)])
    expect([code, answer === text]).toEqual(['SUCCESS', true])
  })

  it('stays busy with a hanging call after its deadline and refuses other calls at once, but answers health checks', async () => {
    const runner = await startRunner({ 'main.ts': main, 'tracker.ts': tracker })
    await runner.setup(BASE)
    await expect(runner.call('hang', [], { deadlineMs: 200 })).rejects.toMatchObject({ code: status.DEADLINE_EXCEEDED })
    const busy = { code: status.RESOURCE_EXHAUSTED, details: 'Server busy' }
    await expect(runner.call('predict')).rejects.toMatchObject(busy)
    await expect(runner.setup(BASE)).rejects.toMatchObject(busy)
    await expect(runner.rest()).rejects.toMatchObject(busy)
    expect(await runner.health()).toBe(ServingStatus.SERVING)
    await expect(runner.health('other')).rejects.toMatchObject({ code: status.NOT_FOUND })
  })
})

describe('Rest', () => {
  it('discards the instance', async () => {
    const runner = await startRunner({ 'main.ts': main, 'tracker.ts': tracker })
    expect(await runner.rest()).toEqual(['SUCCESS', 'No instance exists to reset'])
    await runner.setup(BASE)
    await runner.call('predict', [string('BTC')])
    expect(await runner.rest()).toEqual(['SUCCESS', 'Instance successfully reset'])
    expect((await runner.call('predict'))[0]).toBe('FAILED_PRECONDITION')
    await runner.setup(BASE)
    expect(await runner.call('predict', [string('BTC')])).toMatchObject(['SUCCESS', '', { count: 1 }])
  })
})

describe('serveModel', () => {
  it('names the address that it cannot listen on', async () => {
    const taken = createServer().listen(0, '127.0.0.1')
    onTestFinished(() => void taken.close())
    await once(taken, 'listening')
    const address = `127.0.0.1:${(taken.address() as { port: number }).port}`
    await expect(serveModel({ directory: writeFolder({}), address })).rejects.toThrow(`cannot listen on ${address}`)
  })
})
