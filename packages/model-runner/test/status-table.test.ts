import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { encodeVariant, setupRequest } from '@crunch/model-protocol'
import { DEPLOYED_RUNNER, pythonOrReason } from '@crunch/python-peers'
import { beforeAll, describe, expect, it } from 'vitest'
import {
  type PeerAnswer,
  type PeerRequest,
  type ProtocolPeer,
  startOurRunner,
  startPythonRunner,
} from './protocol-peer.ts'
import { type Expected, failedSetups, type Row, statusTable } from './status-table.ts'
import {
  type FailureName,
  pythonFailures,
  pythonModel,
  typescriptFailures,
  typescriptModel,
} from './status-table-models.ts'
import { writeFolder } from './temporary-folder.ts'

const BASE = 'tracker.TrackerBase'

let environment: Awaited<ReturnType<typeof pythonOrReason>>

beforeAll(async () => {
  environment = await pythonOrReason(DEPLOYED_RUNNER)
}, 400_000)

/** The rows whose response differs from the table; empty if all match. */
async function differences(peer: ProtocolPeer, rows: readonly Row[], isPython: boolean): Promise<object> {
  const found: Record<string, object> = {}
  for (const { what, request, expected, python } of rows) {
    const wanted = isPython ? (python ?? expected) : expected
    const answer = await peer.send(request)
    if (!isAsExpected(answer, wanted)) found[what] = { answer, wanted }
  }
  return found
}

function isAsExpected(answer: PeerAnswer, expected: Expected): boolean {
  if ('grpc' in answer) {
    return 'grpc' in expected && answer.grpc === expected.grpc && matches(answer.details, expected.details)
  }
  if ('grpc' in expected) return false
  const [code, message, type, value] = expected
  return (
    answer.code === code &&
    matches(answer.message, message) &&
    answer.type === type &&
    JSON.stringify(answer.value, spellNumbers) === JSON.stringify(value, spellNumbers)
  )
}

function matches(text: string, wanted: string | RegExp): boolean {
  return typeof wanted === 'string' ? text === wanted : wanted.test(text)
}

/** Some numbers, such as NaN, cannot be written in JSON. */
const spellNumbers = (_: string, value: unknown) => (typeof value === 'number' ? String(value) : value)

/** While one call occupies the model, all others are refused at once. */
async function holdTheModel(peer: ProtocolPeer): Promise<void> {
  const file = join(writeFolder({}), 'go')
  const hold: PeerRequest = {
    call: {
      methodName: 'hold',
      methodArguments: [{ position: 1, data: encodeVariant({ type: 'STRING', value: file }) }],
    },
    deadlineMs: 300,
  }
  await peer.send({ setup: setupRequest(BASE) })
  expect(await peer.send(hold)).toMatchObject({ grpc: 'DEADLINE_EXCEEDED' })
  const busy = { grpc: 'RESOURCE_EXHAUSTED', details: 'Server busy' }
  const predict: PeerRequest = { call: { methodName: 'counted' } }
  expect(await peer.send(predict)).toEqual(busy)
  expect(await peer.send({ setup: setupRequest(BASE) })).toEqual(busy)
  expect(await peer.send({ rest: true })).toEqual(busy)
  expect(await peer.send({ health: '' })).toEqual({ code: 'SERVING', message: '' })
  writeFileSync(file, '')
  await expect
    .poll(() => peer.send(predict), { timeout: 10_000 })
    .toEqual({ code: 'SUCCESS', message: '', type: 'INT', value: 0 })
}

const names = Object.keys(failedSetups) as FailureName[]

describe('our runner', () => {
  it('answers according to the table', async () => {
    expect(await differences(await startOurRunner(typescriptModel), statusTable, false)).toEqual({})
  })

  it.each(names)('fails the Setup of %s', async (name) => {
    const peer = await startOurRunner(typescriptFailures[name])
    expect(await differences(peer, failedSetups[name], false)).toEqual({})
  })

  it('refuses other calls while one occupies the model', async () => {
    await holdTheModel(await startOurRunner(typescriptModel))
  })
})

describe('the deployed runner', () => {
  it('answers according to the table', { timeout: 60_000 }, async (context) => {
    if ('reason' in environment) return context.skip(environment.reason)
    expect(await differences(await startPythonRunner(environment.python, pythonModel), statusTable, true)).toEqual({})
  })

  it.for(names)('fails the Setup of %s', { timeout: 60_000 }, async (name, context) => {
    if ('reason' in environment) return context.skip(environment.reason)
    const peer = await startPythonRunner(environment.python, pythonFailures[name])
    expect(await differences(peer, failedSetups[name], true)).toEqual({})
  })

  it('refuses other calls while one occupies the model', { timeout: 60_000 }, async (context) => {
    if ('reason' in environment) return context.skip(environment.reason)
    await holdTheModel(await startPythonRunner(environment.python, pythonModel))
  })
})

it('gives a reason for every difference between the two runners', () => {
  const rows = [...statusTable, ...Object.values(failedSetups).flat()]
  expect(rows.length).toBeGreaterThan(50)
  for (const { what, python, why } of rows) expect(why === undefined, what).toBe(python === undefined)
})
