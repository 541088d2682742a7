import { type ArgumentValue, encodeVariant, setupRequest, VariantType } from '@crunch/model-protocol'
import type { PeerRequest } from './protocol-peer.ts'
import type { FailureName } from './status-table-models.ts'

type Matcher = string | RegExp

/** `[code, message]`, optionally with the wire type and the value of the answer; or the status of a failed gRPC call. */
export type Expected =
  | readonly [code: string, message: Matcher]
  | readonly [code: string, message: Matcher, type: string, value: unknown]
  | { readonly grpc: string; readonly details: Matcher }

export interface Row {
  readonly what: string
  readonly request: PeerRequest
  readonly expected: Expected
  /** The deployed runner's response if it differs, and the reason for the difference. */
  readonly python?: Expected
  readonly why?: string
}

const BASE = 'tracker.TrackerBase'
const int = (value: number) => encodeVariant({ type: 'INT', value })
const text = (value: string) => encodeVariant({ type: 'STRING', value })
const raised = (message: string) => `The model raised an exception: ${message}`
const three = new Uint8Array(3)

function call(methodName: string, ...values: readonly ArgumentValue[]): PeerRequest {
  const methodArguments = values.map((value, index) => ({ position: index + 1, data: encodeVariant(value) }))
  return { call: { methodName, methodArguments } }
}

function keywords(methodName: string, positional: readonly string[], named: Readonly<Record<string, number>>) {
  const methodArguments = positional.map((value, index) => ({ position: index + 1, data: text(value) }))
  const methodKwArguments = Object.entries(named).map(([keyword, value]) => ({ keyword, data: int(value) }))
  return { call: { methodName, methodArguments, methodKwArguments } }
}

/** Requests before there is an instance; none of these creates one. */
const beforeSetup: readonly Row[] = [
  { what: 'health', request: { health: '' }, expected: ['SERVING', ''] },
  { what: 'health of another service', request: { health: 'other' }, expected: { grpc: 'NOT_FOUND', details: '' } },
  {
    what: 'Call without an instance',
    request: call('predict'),
    expected: ['FAILED_PRECONDITION', 'Setup has not been called yet'],
  },
  {
    what: 'Call without an instance and without a name',
    request: call(''),
    expected: ['FAILED_PRECONDITION', 'Setup has not been called yet'],
  },
  { what: 'Rest without an instance', request: { rest: true }, expected: ['SUCCESS', 'No instance exists to reset'] },
  ...['', '  \n'].map((className) => ({
    what: `Setup of ${JSON.stringify(className)}`,
    request: { setup: { className } },
    expected: ['INVALID_ARGUMENT', 'class_name cannot be empty'] as const,
  })),
  ...['InvalidModel', '.InvalidModel', ' InvalidModel '].map((className) => ({
    what: `Setup of ${JSON.stringify(className)}`,
    request: { setup: { className } },
    expected: ['SETUP_FAILED', "Invalid class name 'InvalidModel'. Use 'module.ClassName' format."] as const,
  })),
  {
    what: 'Setup of a class without a name',
    request: { setup: setupRequest('tracker.') },
    expected: ['SETUP_FAILED', "Class '' not found in module 'tracker'."],
  },
  {
    what: 'Setup of an unknown class',
    request: { setup: setupRequest('tracker.Unknown') },
    expected: ['BAD_IMPLEMENTATION', "No Inherited class found from <class 'tracker.Unknown'>."],
    python: ['SETUP_FAILED', "Class 'Unknown' not found in module 'tracker'."],
    why: 'in TypeScript the base class is identified only by its name, regardless of its module',
  },
  {
    what: 'Setup of an unknown module',
    request: { setup: setupRequest('unknown.Base') },
    expected: ['BAD_IMPLEMENTATION', "No Inherited class found from <class 'unknown.Base'>."],
    python: ['BAD_IMPLEMENTATION', "No module named 'unknown'"],
    why: 'see above',
  },
  {
    what: 'Setup with an argument that cannot be decoded',
    request: {
      setup: {
        className: BASE,
        instanceArguments: [{ position: 1, data: { type: VariantType.DOUBLE, value: three } }],
      },
    },
    expected: ['SETUP_FAILED', 'DOUBLE needs 8 bytes, got 3'],
    python: ['SETUP_FAILED', 'unpack requires a buffer of 8 bytes'],
    why: 'the message comes from the decoder',
  },
  {
    what: 'Setup with an unknown keyword argument',
    request: { setup: { className: BASE, instanceKwArguments: [{ keyword: 'seed', data: int(1) }] } },
    expected: ['SETUP_FAILED', 'a constructor in JavaScript takes no keyword arguments, got seed'],
    python: ['SETUP_FAILED', /got an unexpected keyword argument 'seed'$/],
    why: 'the message comes from the language',
  },
]

const setups: readonly Row[] = [
  {
    what: 'Setup with positional arguments, out of order and with gaps',
    request: {
      setup: {
        className: ` ${BASE} `,
        instanceArguments: [
          { position: 7, data: int(2) },
          { position: 3, data: text('one') },
        ],
      },
    },
    expected: ['SUCCESS', 'Instance created successfully'],
  },
  { what: 'its arguments', request: call('made'), expected: ['SUCCESS', '', 'JSON', ['one', 2]] },
  {
    what: 'Setup again',
    request: { setup: setupRequest(BASE) },
    expected: ['SUCCESS', 'Instance already exists'],
  },
  { what: 'Setup again of nothing', request: { setup: {} }, expected: ['SUCCESS', 'Instance already exists'] },
  { what: 'the first instance', request: call('made'), expected: ['SUCCESS', '', 'JSON', ['one', 2]] },
]

const failures: readonly Row[] = [
  {
    what: 'Call without a method name',
    request: call(''),
    expected: ['INVALID_ARGUMENT', 'methodName cannot be empty'],
  },
  ...['unknown', ' ', 'predict '].map((name) => ({
    what: `Call of ${JSON.stringify(name)}`,
    request: call(name),
    expected: ['BAD_IMPLEMENTATION', `Method "${name}" not found in class "Model"`] as const,
  })),
  {
    what: 'Call of an attribute that is not a method',
    request: call('count'),
    expected: ['MODEL_FAILED', raised('"count" is not a method')],
    python: { grpc: 'UNKNOWN', details: /is not a callable object/ },
    why: 'the deployed runner inspects the signature outside its error handling',
  },
  { what: 'Call that raises', request: call('fail'), expected: ['MODEL_FAILED', raised('no data yet')] },
  ...([VariantType.DOUBLE, VariantType.STRING, VariantType.JSON, VariantType.ARROW] as const).map((type) => ({
    what: `Call with an argument of type ${VariantType[type]} that cannot be decoded`,
    request: {
      call: {
        methodName: 'echo',
        methodArguments: [{ position: 1, data: { type, value: new Uint8Array([0xff, 0xfe, 0xfd]) } }],
      },
    },
    expected: ['MODEL_FAILED', /^The model raised an exception: ./] as const,
  })),
  {
    what: 'Call with a dropped keyword argument that cannot be decoded',
    request: {
      call: {
        methodName: 'counted',
        methodKwArguments: [{ keyword: 'unknown', data: { type: VariantType.DOUBLE, value: three } }],
      },
    },
    expected: ['MODEL_FAILED', /^The model raised an exception: ./],
  },
  {
    what: 'Call with too many positional arguments',
    request: call('counted', { type: 'INT', value: 1 }),
    expected: ['SUCCESS', '', 'INT', 0],
    python: ['MODEL_FAILED', /takes 1 positional argument but 2 were given$/],
    why: 'in TypeScript a method may declare fewer parameters than it gets',
  },
  {
    what: 'Call with an argument of type NONE',
    request: call('echo', { type: 'NONE' }),
    expected: ['SUCCESS', ''],
    python: ['MODEL_FAILED', raised('Unsupported data type: 0')],
    why: 'older and newer runners read it as None; this release does not',
  },
]

const results: readonly Row[] = [
  ['tick', 'none', undefined],
  ['true', 'INT', 1],
  ['whole', 'INT', 3],
  ['fraction', 'DOUBLE', 0.5],
  ['notANumber', 'DOUBLE', Number.NaN],
  ['infinity', 'DOUBLE', Number.POSITIVE_INFINITY],
  ['text', 'STRING', 'é'],
  ['emptyText', 'STRING', ''],
  ['list', 'JSON', [1, 0.5, null, true, 'é']],
  ['keyed', 'JSON', { 1: 'one' }],
].map(([name, type, value]) => ({
  what: `the result of ${name}`,
  request: name === 'tick' ? call('tick', { type: 'JSON', value: { closes: [1] } }) : call(name as string),
  expected: type === 'none' ? (['SUCCESS', ''] as const) : (['SUCCESS', '', type as string, value] as const),
}))

const refusedResults: readonly Row[] = [
  {
    what: 'a result with NaN inside',
    request: call('notANumberInside'),
    expected: ['MODEL_FAILED', raised('$.mean is NaN, which JSON cannot express')],
    python: ['SUCCESS', '', 'JSON', { mean: Number.NaN }],
    why: 'our runner writes strict JSON',
  },
  {
    what: 'an integer of more than 64 bits',
    request: call('hugeInteger'),
    expected: ['MODEL_FAILED', raised('INT holds 64 bits, got 9223372036854775808')],
    python: ['MODEL_FAILED', raised('int too big to convert')],
    why: 'the message comes from the encoder',
  },
  {
    what: 'a result that no wire type can encode',
    request: call('unsupported'),
    expected: ['MODEL_FAILED', raised('Unsupported data type: function')],
    python: ['MODEL_FAILED', raised("Unsupported data type: <class 'tuple'>")],
    why: 'each language has different values',
  },
]

const predicted = (subject: string, horizon: number, step: number) =>
  ['SUCCESS', '', 'JSON', { subject, horizon, step }] as const

const keywordArguments: readonly Row[] = [
  {
    what: 'positional arguments out of order and with gaps',
    request: {
      call: {
        methodName: 'predict',
        methodArguments: [
          { position: 9, data: int(5) },
          { position: 0, data: text('BTC') },
        ],
      },
    },
    expected: predicted('BTC', 5, 15),
  },
  {
    what: 'keyword arguments by name',
    request: keywords('predict', ['BTC'], { step: 5, horizon: 6 }),
    expected: predicted('BTC', 6, 5),
  },
  {
    what: 'an unknown keyword argument, which is dropped',
    request: keywords('predict', ['BTC'], { added: 1, step: 5 }),
    expected: predicted('BTC', 60, 5),
  },
  {
    what: 'a keyword argument for a positional parameter already given, which is dropped',
    request: keywords('predict', ['BTC'], { subject: 1 }),
    expected: predicted('BTC', 60, 15),
  },
  {
    what: 'a keyword argument given twice: the last one counts',
    request: {
      call: {
        methodName: 'predict',
        methodArguments: [{ position: 1, data: text('BTC') }],
        methodKwArguments: [5, 6].map((step) => ({ keyword: 'step', data: int(step) })),
      },
    },
    expected: predicted('BTC', 60, 6),
  },
  {
    what: 'unknown keyword arguments, which a rest parameter does not get',
    request: keywords('extra', ['BTC'], { added: 1 }),
    expected: ['SUCCESS', '', 'JSON', ['BTC', {}]],
  },
]

const rest: readonly Row[] = [
  { what: 'the count before Rest', request: call('counted'), expected: ['SUCCESS', '', 'INT', 5] },
  { what: 'Rest', request: { rest: true }, expected: ['SUCCESS', 'Instance successfully reset'] },
  { what: 'Rest again', request: { rest: true }, expected: ['SUCCESS', 'No instance exists to reset'] },
  {
    what: 'Call after Rest',
    request: call('counted'),
    expected: ['FAILED_PRECONDITION', 'Setup has not been called yet'],
  },
  {
    what: 'Setup after Rest',
    request: { setup: setupRequest(BASE) },
    expected: ['SUCCESS', 'Instance created successfully'],
  },
  {
    what: 'the count of the new instance',
    request: call('counted'),
    expected: ['SUCCESS', '', 'INT', 0],
    python: ['SUCCESS', '', 'INT', 5],
    why: 'the deployed runner keeps the methods of the old instance, so Rest must not be relied on',
  },
]

/** Requests to one runner, in this order. */
export const statusTable: readonly Row[] = [
  ...[beforeSetup, setups, failures, results, refusedResults, keywordArguments, rest].flat(),
]

const notFound = "No Inherited class found from <class 'tracker.TrackerBase'>."

/** Setup of a faulty submission, then a Call. */
export const failedSetups: Readonly<Record<FailureName, readonly Row[]>> = {
  'no class': [failedSetup(['BAD_IMPLEMENTATION', notFound])],
  'a constructor that throws': [failedSetup(['SETUP_FAILED', 'no weights'])],
  'a constructor that imports a missing module': [
    failedSetup(
      ['BAD_IMPLEMENTATION', /^Cannot find module 'not-installed'/],
      ['BAD_IMPLEMENTATION', "No module named 'not_installed'"],
      'the message comes from the language',
    ),
  ],
  'a file that imports a missing module': [
    failedSetup(
      ['BAD_IMPLEMENTATION', /^No Inherited class found from <class 'tracker\.TrackerBase'>\. .*not-installed/],
      ['BAD_IMPLEMENTATION', notFound],
      'the deployed runner hides the cause; ours reports it to the participant',
    ),
  ],
}

function failedSetup(expected: Expected, python?: Expected, why?: string): Row {
  const row = { what: 'Setup', request: { setup: setupRequest(BASE) }, expected }
  return python === undefined || why === undefined ? row : { ...row, python, why }
}
