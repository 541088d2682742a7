import { constants, type ServerHttp2Stream } from 'node:http2'
import { CallResponse, DynamicSubclassServiceService, SetupResponse, VariantType } from '@crunch/model-protocol'
import { status } from '@grpc/grpc-js'
import { afterEach, describe, expect, it } from 'vitest'
import type { ModelAnswer } from '../../../../ports/model-runner.ts'
import { grpcHeaders, type RawServer, respond, startRawServer } from '../testing/raw-server.ts'
import { ask, call, openScene, type Scene, stateOf } from '../testing/scene.ts'
import { LARGE_ANSWER_BYTES } from '../transport/large-answers.ts'
import { frameMessage } from '../transport/unary-call.ts'

// Everything that a model's process can do to a call: one model per behaviour, all in one dispatch. No behaviour may shift the
// blame away from the model, whether or not the orchestrator is reachable. docs/fairness.md has the same table.

let scene: Scene

afterEach(() => scene.close())

type Behaviour = (stream: ServerHttp2Stream) => void

interface Expected {
  readonly behaviour: Behaviour
  readonly status: 'failed' | 'absent'
  readonly reason: string
}

const done = { 'grpc-status': '0' }

const failed = (reason: string, behaviour: Behaviour): Expected => ({ behaviour, status: 'failed', reason })
const absent = (reason: string, behaviour: Behaviour): Expected => ({ behaviour, status: 'absent', reason })

/** The runner itself answers with this status code. */
const says =
  (code: string, message = '', value?: string): Behaviour =>
  (stream) => {
    const methodResponse = value === undefined ? undefined : { type: VariantType.JSON, value: Buffer.from(value) }
    respond(stream, [frameMessage(CallResponse.encode({ status: { code, message }, methodResponse }).finish())], done)
  }

const sendsBytes =
  (...bytes: readonly number[]): Behaviour =>
  (stream) =>
    respond(stream, [Buffer.from(bytes)], done)

/** gRPC status in trailers, without a message. */
const ends =
  (code: status, message = ''): Behaviour =>
  (stream) =>
    respond(stream, [], { 'grpc-status': String(code), 'grpc-message': message })

/** gRPC status in the headers, without an answer. */
const refuses =
  (code: status, message = ''): Behaviour =>
  (stream) =>
    stream.respond({ ...grpcHeaders, 'grpc-status': String(code), 'grpc-message': message }, { endStream: true })

const resets =
  (code: number): Behaviour =>
  (stream) =>
    stream.close(code)

const answersHttp =
  (code: number): Behaviour =>
  (stream) =>
    stream.respond({ ':status': code }, { endStream: true })

const goesAway =
  (code: number): Behaviour =>
  (stream) => {
    stream.session?.goaway(code)
    stream.session?.destroy()
  }

const large = Buffer.alloc(5)
large.writeUInt32BE(0xffff_ffff, 1)

const table: Readonly<Record<string, Expected>> = {
  // Status codes of the runner.
  INVALID_ARGUMENT: failed('invalid_call', says('INVALID_ARGUMENT', 'the coordinator calls wrongly')),
  'FAILED_PRECONDITION forever': absent('not_running', says('FAILED_PRECONDITION', 'Setup has not been called')),
  MODEL_FAILED: failed('model_error', says('MODEL_FAILED')),
  SETUP_FAILED: failed('model_error', says('SETUP_FAILED')),
  BAD_IMPLEMENTATION: failed('bad_implementation', says('BAD_IMPLEMENTATION')),
  UNKNOWN: failed('model_error', says('UNKNOWN')),
  'texts that imitate our own reasons': failed('invalid_output', says('coordinator_stalled', 'coordinator_restarted')),
  'an invalid value': failed('invalid_output', says('SUCCESS', '', '{"value":')),
  'no message': failed('invalid_output', sendsBytes(0, 0, 0, 0, 2, 0x0a, 0xff)),
  'half a message': failed('model_error', sendsBytes(0, 0, 0, 0, 9, 1)),
  'a compressed message': failed('model_error', sendsBytes(1, 0, 0, 0, 1, 1)),
  'two messages': failed('model_error', sendsBytes(0, 0, 0, 0, 0, 0, 0, 0, 0, 0)),
  'a message of 4 GiB': failed('output_too_large', (stream) => respond(stream, [large], done)),
  'an answer without a status': failed('model_error', (stream) => {
    stream.respond(grpcHeaders)
    stream.end(frameMessage(Buffer.alloc(0)))
  }),
  // gRPC statuses, in trailers and without an answer.
  UNAUTHENTICATED: absent('access_denied', ends(status.UNAUTHENTICATED, 'who are you')),
  PERMISSION_DENIED: absent('access_denied', ends(status.PERMISSION_DENIED)),
  'UNAUTHENTICATED at once': absent('access_denied', refuses(status.UNAUTHENTICATED)),
  'PERMISSION_DENIED at once': absent('access_denied', refuses(status.PERMISSION_DENIED)),
  'INVALID_ARGUMENT of gRPC': failed('model_error', ends(status.INVALID_ARGUMENT)),
  'FAILED_PRECONDITION of gRPC': failed('model_error', ends(status.FAILED_PRECONDITION)),
  UNAVAILABLE: absent('not_running', ends(status.UNAVAILABLE, 'the coordinator closed the connection')),
  'UNAVAILABLE at once': absent('not_running', refuses(status.UNAVAILABLE, 'there is no connection')),
  CANCELLED: absent('not_running', ends(status.CANCELLED, 'the coordinator closed the connection')),
  UNIMPLEMENTED: absent('not_running', ends(status.UNIMPLEMENTED)),
  DEADLINE_EXCEEDED: absent('timeout', ends(status.DEADLINE_EXCEEDED, 'this node stalled')),
  RESOURCE_EXHAUSTED: absent('busy', ends(status.RESOURCE_EXHAUSTED, 'there is no room for the bytes')),
  'RESOURCE_EXHAUSTED, larger': failed('output_too_large', ends(status.RESOURCE_EXHAUSTED, 'larger than max')),
  ABORTED: failed('model_error', ends(status.ABORTED)),
  OUT_OF_RANGE: failed('model_error', ends(status.OUT_OF_RANGE)),
  DATA_LOSS: failed('model_error', ends(status.DATA_LOSS)),
  'INTERNAL, RST_STREAM': failed('model_error', ends(status.INTERNAL, 'RST_STREAM premature ECONNRESET')),
  'an invalid status': failed('model_error', (stream) => respond(stream, [], { 'grpc-status': 'lost' })),
  'an unknown status': failed('model_error', (stream) => respond(stream, [], { 'grpc-status': '99' })),
  'OK without a message': failed('model_error', refuses(status.OK)),
  // HTTP statuses.
  'HTTP 400': failed('model_error', answersHttp(400)),
  'HTTP 401': absent('access_denied', answersHttp(401)),
  'HTTP 403': absent('access_denied', answersHttp(403)),
  'HTTP 404': absent('not_running', answersHttp(404)),
  'HTTP 429': absent('not_running', answersHttp(429)),
  'HTTP 503': absent('not_running', answersHttp(503)),
  'HTTP 200 without gRPC': failed('model_error', answersHttp(200)),
  // Resets.
  'RST NO_ERROR': failed('model_error', resets(constants.NGHTTP2_NO_ERROR)),
  'RST PROTOCOL_ERROR': absent('not_running', resets(constants.NGHTTP2_PROTOCOL_ERROR)),
  'RST INTERNAL_ERROR': absent('not_running', resets(constants.NGHTTP2_INTERNAL_ERROR)),
  'RST FLOW_CONTROL_ERROR': absent('not_running', resets(constants.NGHTTP2_FLOW_CONTROL_ERROR)),
  'RST REFUSED_STREAM': absent('not_running', resets(constants.NGHTTP2_REFUSED_STREAM)),
  'RST CANCEL': absent('not_running', resets(constants.NGHTTP2_CANCEL)),
  'RST ENHANCE_YOUR_CALM': absent('busy', resets(constants.NGHTTP2_ENHANCE_YOUR_CALM)),
  'RST INADEQUATE_SECURITY': absent('access_denied', resets(constants.NGHTTP2_INADEQUATE_SECURITY)),
  'RST HTTP_1_1_REQUIRED': absent('not_running', resets(constants.NGHTTP2_HTTP_1_1_REQUIRED)),
  // The connection.
  'GOAWAY NO_ERROR': absent('not_running', goesAway(constants.NGHTTP2_NO_ERROR)),
  'GOAWAY ENHANCE_YOUR_CALM': absent('not_running', goesAway(constants.NGHTTP2_ENHANCE_YOUR_CALM)),
  'hangs up': absent('not_running', (stream) => stream.session?.destroy()),
  // Silence.
  'nothing at all': absent('timeout', () => {}),
  'only headers': absent('timeout', (stream) => stream.respond(grpcHeaders)),
  'a large answer that stops': absent('timeout', (stream) => {
    stream.respond(grpcHeaders)
    stream.write(frameMessage(Buffer.alloc(2 * LARGE_ANSWER_BYTES)).subarray(0, 100))
  }),
}

function serveRaw(behaviour: Behaviour): Promise<RawServer> {
  return startRawServer((stream, headers) => {
    if (headers[':path'] !== DynamicSubclassServiceService.setup.path) {
      behaviour(stream)
      return
    }
    const answer = { status: { code: 'SUCCESS', message: '' } }
    respond(stream, [frameMessage(SetupResponse.encode(answer).finish())], done)
  })
}

/** One server per row of the table, and one model that answers correctly. */
async function openTable() {
  scene = await openScene()
  const rows = { ...table, good: { behaviour: says('SUCCESS', '', '1') } }
  const states = await Promise.all(
    Object.entries(rows).map(async ([id, { behaviour }]) => {
      const server = await serveRaw(behaviour)
      scene.onClose(() => server.close())
      return stateOf(id, server.port)
    }),
  )
  scene.orchestrator.list(states)
  const runner = await scene.connect({ failureLimit: 0, timeoutLimit: 0 })
  expect(runner.models()).toHaveLength(states.length)
  return runner
}

const judged = (answer: ModelAnswer) =>
  answer.status === 'answered' ? ['answered'] : [answer.status, answer.reason, answer.blame]

const expected = {
  ...Object.fromEntries(Object.entries(table).map(([id, row]) => [id, [row.status, row.reason, 'model']])),
  good: ['answered'],
}

/** Long enough to reconnect on a busy machine. */
const timeoutMs = 3_000

async function verdicts(runner: Awaited<ReturnType<typeof openTable>>) {
  const answers = await ask(runner, [call('predict')], timeoutMs)
  return Object.fromEntries(Object.entries(answers).map(([id, [answer]]) => [id, judged(answer!)]))
}

describe('a model is to blame for everything that its process does to a call', () => {
  it('while the orchestrator is connected', async () => {
    expect(await verdicts(await openTable())).toEqual(expected)
  })

  it('while the orchestrator is unreachable, except that a model whose connection stays lost is excused', async () => {
    const runner = await openTable()
    const crashing: RawServer = await serveRaw(() => void crashing.close())
    scene.orchestrator.update(stateOf('gone for good', crashing.port))
    await expect.poll(() => runner.models()).toHaveLength(Object.keys(expected).length + 1)
    await scene.orchestrator.close()
    await expect.poll(() => runner.reachable()).toBe(false)
    expect(await verdicts(runner)).toEqual({ ...expected, 'gone for good': ['absent', 'not_running', 'coordinator'] })
  })
})
