import { CallResponse, SetupResponse, VariantType } from '@crunch/model-protocol'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { z } from 'zod'
import { changedContract } from '../../../../../test/sample-contract.ts'
import { createTestLog } from '../../../../../test/test-log.ts'
import { resolveContract } from '../../../../contract/resolved-contract.ts'
import { answerBytes } from '../../../../domain/answer-size.ts'
import { createPipeline } from '../../../../pipeline.ts'
import { candle } from '../../../../ports/store-samples.ts'
import { createVirtualClock } from '../../../clock/clocks.ts'
import { createMemoryStore } from '../../../store/memory/memory-store.ts'
import { startStallWatch } from '../../stall-watch.ts'
import { serveAnswers } from '../testing/answer-process.ts'
import { openScene, type Scene, stateOf } from '../testing/scene.ts'

let scene: Scene

beforeEach(async () => {
  scene = await openScene()
})

afterEach(() => scene.close())

/** CPU time of this process. Wall time would include waiting for other processes, which no answer causes. */
const ownTimeMs = () => {
  const { user, system } = process.cpuUsage()
  return (user + system) / 1_000
}

/** Twenty fields, all missing from an empty object; an object of rows, because a list stops at its first invalid item. */
const row = z.object(Object.fromEntries(Array.from({ length: 20 }, (_, index) => [`field${index}`, z.number()])))
const schema = z.object({
  value: z.number().default(0),
  list: z.array(z.number().min(0)).max(1e9).default([]),
  rows: z.record(z.string(), row).default({}),
})
const contract = changedContract({ prediction: { schema, timeout: '8s', call: { tick: false } } })
const { answerLimits: limits } = resolveContract(contract)
const tooManyBytes = 4 * 1024 * 1024 - 1_000

const list = (item: string, count: number) => `{"list":[${`${item},`.repeat(count - 1)}${item}]}`
const json = (text: string) => encode(VariantType.JSON, text)
const tooLarge = (detail: string) => ({ reason: 'output_too_large', detail: expect.stringContaining(detail) })
const invalid = (detail: string) => ({ reason: 'invalid_output', detail: expect.stringContaining(detail) })

/** What one model sends, and what its prediction row records. */
const attacks: readonly [string, Buffer, object][] = [
  ['a list of the size limit of deployed nodes', json(list('"x"', tooManyBytes / 4)), tooLarge('bytes, larger than')],
  ['a wide list', json(list('"x"', 300_000)), tooLarge('holds more than 10000 values')],
  ['one key many times', json(`{${'"list":[],'.repeat(100_000)}"value":1}`), tooLarge('holds more than 10000 values')],
  ['deep nesting', json(`{"list":${'['.repeat(100_000)}${']'.repeat(100_000)}}`), tooLarge('more than 16 levels deep')],
  ['a huge key', json(`{"${'k'.repeat(1_000_000)}":1}`), tooLarge('more than 160000 characters')],
  ['a huge text', json(`{"value":"${'x'.repeat(1_000_000)}"}`), tooLarge('more than 160000 characters')],
  [
    'a huge text as the whole answer',
    encode(VariantType.STRING, 'x'.repeat(1_000_000)),
    tooLarge('more than 160000 characters'),
  ],
  ['a huge number', json(`{"value":${'9'.repeat(1_000_000)}}`), invalid('invalid JSON: ')],
  ['numbers as texts', json(list('"0.5"', 9_990)), invalid('list.0: Invalid input: expected number')],
  ['numbers out of range', json(list('-1', 9_990)), invalid('; 9980 more')],
  ['many small wrong rows', json(JSON.stringify({ rows: emptyRows(9_900) })), invalid('rows.r0.field0: ')],
  ['a status of a million bytes', encode(VariantType.NONE, '', 's'.repeat(1_000_000)), invalid('unknown status')],
  ['unknown fields', Buffer.from('1805'.repeat(500_000), 'hex'), invalid('more than 32 fields')],
]

describe('answers that are costly to read', () => {
  it('are refused with blame on their models, and neither excuse nor fail other models', async () => {
    const modelsAnAttack = 4
    const answers = Array.from({ length: modelsAnAttack }, () => attacks.map(([, bytes]) => bytes)).flat()
    const setup = SetupResponse.encode({ status: { code: 'SUCCESS', message: '' } }).finish()
    const attackers = await serveAnswers(setup, answers)
    scene.onClose(() => attackers.close())
    const good = await scene.serve({ predict: () => ({ value: 0.5 }) })
    let asked = 0
    const sleeper = await scene.serve({
      predict() {
        asked += 1
        return asked === 1 ? { value: 0.5 } : new Promise(() => {})
      },
    })
    scene.orchestrator.list([
      ...attackers.ports.map((port, index) => stateOf(`attacker-${100 + index}`, port)),
      stateOf('good', good.port),
      stateOf('sleeper', sleeper.port),
    ])
    const runner = await scene.connect({
      stalls: startStallWatch({ monotonic: ownTimeMs, wall: () => 0 }),
      answerLimits: limits,
      maxOutputBytes: answerBytes(limits),
    })
    expect(runner.models()).toHaveLength(answers.length + 2)
    const store = createMemoryStore()
    const clock = createVirtualClock()
    const pipeline = createPipeline(contract, { store, clock, log: createTestLog() })
    await pipeline.openPredictor(runner)

    // The answers of the second round arrive while those of the first are judged.
    const records = [candle(0), candle(1)]
    clock.advanceTo(records[1]!.knownAt)
    await Promise.all(records.map((record) => pipeline.accept([record])))

    const [first, second] = store.dump().rounds
    const rowsOf = (round: typeof first) => store.dump().predictions.filter(({ roundId }) => roundId === round?.id)
    for (const round of [first, second]) {
      const rows = new Map(rowsOf(round).map((prediction) => [prediction.modelId, prediction]))
      for (const [index, [name, , expected]] of attacks.entries()) {
        for (let turn = 0; turn < modelsAnAttack; turn += 1) {
          const modelId = `attacker-${100 + turn * attacks.length + index}`
          expect(rows.get(modelId), name).toMatchObject({ status: 'FAILED', blame: 'model', output: null, ...expected })
        }
      }
      expect(rows.get('good')).toMatchObject({ status: 'PENDING', output: { value: 0.5 } })
    }
    expect(rowsOf(first).find(({ modelId }) => modelId === 'sleeper')).toMatchObject({ status: 'PENDING' })
    expect(rowsOf(second).find(({ modelId }) => modelId === 'sleeper')).toMatchObject({
      status: 'ABSENT',
      reason: 'timeout',
      blame: 'model',
    })
  })
})

function emptyRows(count: number): object {
  return Object.fromEntries(Array.from({ length: count }, (_, index) => [`r${index}`, {}]))
}

function encode(type: VariantType, value: string, code = 'SUCCESS'): Buffer {
  const response = { status: { code, message: '' }, methodResponse: { type, value: Buffer.from(value) } }
  return Buffer.from(CallResponse.encode(response).finish())
}
