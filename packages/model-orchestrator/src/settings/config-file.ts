import { readFile, stat } from 'node:fs/promises'
import { errorText } from '@crunch/local-processes/errors'
import { type Document, isScalar, LineCounter, parseDocument, Scalar, visit } from 'yaml'
import { z } from 'zod'
import { OrchestratorError } from '../errors.ts'
import { lineOf, readDocument } from '../models-file/yaml-lines.ts'
import { SETTINGS } from './settings.ts'

const MAX_BYTES = 1024 * 1024

/** The content of an `orchestrator.dev.yml`. */
export interface ConfigFile {
  readonly path: string
  /** Values by the setting's schema; settings that the file does not contain are absent. */
  readonly values: ReadonlyMap<z.ZodType, unknown>
  readonly crunches: readonly { readonly id: string; readonly modelEnvironment: Readonly<Record<string, string>> }[]
  /** One sentence for each key without effect here, with its line. */
  readonly ignored: readonly string[]
}

/** A key that sets one of the orchestrator's settings. */
class Assigned {
  constructor(
    readonly setting: z.ZodType,
    readonly value: unknown,
  ) {}
}

/** A key of the deployed orchestrator that has no effect here, with the reason. */
class Ignored {
  constructor(readonly why: string) {}
}

const of = SETTINGS.shape
const group = <Shape extends z.ZodRawShape>(shape: Shape) => z.strictObject(shape).nullish()
const assigns = <Given>(
  setting: z.ZodType,
  type: z.ZodType<Given>,
  toValue: (given: Given) => unknown = (given) => given,
) => type.transform((given) => new Assigned(setting, toValue(given))).nullish()
/** @param same values that ask for what happens here anyway */
const ignored = (why: string, same: readonly unknown[] = []) =>
  z
    .unknown()
    .transform((given) => ([null, ...same].includes(given) ? null : new Ignored(why)))
    .optional()
const seconds = (setting: z.ZodType, lowest: number, highest: number) =>
  assigns(setting, z.number().min(lowest).max(highest), (given) => Math.round(given * 1_000))

const LEVELS = { trace: 'debug', debug: 'debug', info: 'info', warning: 'warn', error: 'error', critical: 'error' }
const LIMITED = 'limit models with MODEL_MEMORY_MEBIBYTES and MODEL_CPU_CORES'
const NAMES = 'names come from the models file'

const publishers = z
  .array(
    z.discriminatedUnion('type', [
      z.strictObject({
        type: z.literal('websocket'),
        address: assigns(of.host, z.string().min(1)),
        port: assigns(of.port, of.port.unwrap()),
        'ping-interval': seconds(of.discovery.shape.keepaliveMs, 0.001, 3_600),
        'ping-timeout': seconds(of.discovery.shape.pongTimeoutMs, 0.001, 3_600),
      }),
      z.object({ type: z.literal('rabbitmq') }),
    ]),
  )
  .transform((all) => {
    const first = all.find(({ type }) => type === 'websocket')
    return all.map((one) => {
      if (one === first) return one
      return new Ignored(one.type === 'rabbitmq' ? 'rabbitmq is not used' : 'only the first websocket is opened')
    })
  })

const crunch = z.strictObject({
  id: z.string().min(1),
  name: z.unknown().optional(),
  'onchain-name': ignored('nothing is read from a chain'),
  infrastructure: group({
    zone: ignored('models run here'),
    'cluster-name': ignored('models run here'),
    'cpu-config': ignored(LIMITED),
    'gpu-config': ignored(LIMITED),
    'is-secure': ignored('models listen on loopback, without TLS', [false]),
    'runner-envs': z.record(z.string(), z.union([z.string(), z.number(), z.boolean()]).transform(String)).nullish(),
  }),
  'network-config': ignored('models run here'),
  'run-schedule': ignored('models run all the time'),
})

const schema = z.strictObject({
  logging: group({
    level: assigns(of.logLevel, z.enum(Object.keys(LEVELS) as (keyof typeof LEVELS)[]), (level) => LEVELS[level]),
    file: group({ path: ignored('logs go to stderr; redirect it') }),
  }),
  infrastructure: group({
    database: ignored('nothing is kept in a database'),
    publishers: publishers.nullish(),
    runner: group({
      type: z.literal('local', 'must be local: this orchestrator starts models as processes of this machine'),
      'docker-network-name': ignored('no Docker is used', ['', 'null', 'None']),
      'submission-storage-path-format': assigns(
        of.submissionsDirectory,
        z.string().regex(/^.+\/\{id\}\/?$/, 'must end with /{id}: each submission is a folder named by its id'),
        (format) => format.replace(/\/\{id\}\/?$/, ''),
      ),
      'resource-storage-path-format': ignored('resources come from models/ beside the submissions'),
      'rebuild-mode': ignored('environments are created again when requirements change', ['disabled', false]),
    }),
  }),
  watcher: group({
    interval: seconds(of.pollMs, 0.05, 60),
    poller: z
      .discriminatedUnion('type', [
        z.strictObject({ type: z.literal('yaml'), path: assigns(of.modelsFile, z.string().min(1)) }),
        z
          .object({ type: z.literal('onchain') })
          .transform(() => new Ignored('onchain is not used: give the models with --models')),
      ])
      .nullish(),
  }),
  crunches: z.array(crunch).min(1),
  'signature-verifier': ignored('signatures are not checked'),
  'tournament-api-url': ignored(NAMES),
  'use-augmented-info': ignored(NAMES),
  'can-place-in-quarantine': assigns(of.remembersQuarantine, z.boolean()),
})

/** Reads the file given by `--config`. Throws `SETTINGS_INVALID`. */
export async function readConfigFile(path: string): Promise<ConfigFile> {
  let text: string
  try {
    const { size } = await stat(path)
    if (size > MAX_BYTES) throw new Error(`it is larger than ${MAX_BYTES} bytes`)
    text = await readFile(path, 'utf8')
  } catch (error) {
    const problem = `${path}: cannot be read (${errorText(error)}); give --config a file that exists, or leave it out`
    throw new OrchestratorError('SETTINGS_INVALID', problem, { cause: error })
  }
  return parseConfigFile({ path, text, environment: process.env })
}

/**
 * Parses the deployed orchestrator's configuration. `$NAME` and `${NAME}` in values are replaced from `environment`.
 * Throws `SETTINGS_INVALID` with path, line, cause and fix for unknown keys, wrong values and variables that are not set.
 */
export function parseConfigFile(input: {
  readonly path: string
  readonly text: string
  readonly environment: NodeJS.ProcessEnv
}): ConfigFile {
  const { path } = input
  const lines = new LineCounter()
  const document = parseDocument(input.text, { lineCounter: lines, prettyErrors: false })
  const [syntaxError] = document.errors
  if (syntaxError) throw invalid(path, lines.linePos(syntaxError.pos[0]).line, syntaxError.message)
  expandVariables(document, input.environment, (node, problem) => {
    throw invalid(path, node.range ? lines.linePos(node.range[0]).line : 1, problem)
  })
  const parsed = schema.safeParse(readDocument(document, (problem) => invalid(path, 1, problem)))
  if (!parsed.success) {
    const findings = parsed.error.issues.map((issue) => {
      const place = issue.path.map((part) => (typeof part === 'symbol' ? String(part) : part))
      // Points at the unknown key itself, not at its parent.
      const key = issue.code === 'unrecognized_keys' ? issue.keys[0] : undefined
      const line = lineOf(document, lines, key === undefined ? place : [...place, key])
      return { line, text: `${place.join('.') || 'the file'} (line ${line}): ${issue.message}` }
    })
    throw invalid(path, findings[0]?.line ?? 1, findings.map(({ text }) => text).join('; '))
  }
  const values = new Map<z.ZodType, unknown>()
  const notes: string[] = []
  visitValues(parsed.data, [], (place, found) => {
    if (found instanceof Assigned) values.set(found.setting, found.value)
    else notes.push(`${path}:${lineOf(document, lines, place)}: ${place.join('.')}: ${found.why}`)
  })
  const crunches = parsed.data.crunches.map(({ id, infrastructure }) => ({
    id,
    modelEnvironment: infrastructure?.['runner-envs'] ?? {},
  }))
  return { path, values, crunches, ignored: notes }
}

type Place = readonly (string | number)[]

function visitValues(node: unknown, place: Place, visitOne: (place: Place, found: Assigned | Ignored) => void): void {
  if (node instanceof Assigned || node instanceof Ignored) visitOne(place, node)
  else if (Array.isArray(node))
    for (const [index, item] of node.entries()) visitValues(item, [...place, index], visitOne)
  else if (typeof node === 'object' && node !== null) {
    for (const [key, value] of Object.entries(node)) visitValues(value, [...place, key], visitOne)
  }
}

/** Replaces variables. An unquoted value may become a number, but never a list or a map. */
function expandVariables(
  document: Document,
  environment: NodeJS.ProcessEnv,
  fail: (node: Scalar, problem: string) => never,
): void {
  visit(document, {
    Scalar(key, node) {
      if (key === 'key' || typeof node.value !== 'string') return
      const text = node.value.replaceAll(/\$(?:\{([A-Za-z_]\w*)\}|([A-Za-z_]\w*))/g, (_, inBraces, bare) => {
        const name: string = inBraces ?? bare
        return environment[name] ?? fail(node, `the variable ${name} is not set; set it, or write the value directly`)
      })
      if (text === node.value) return
      const plain = node.type === Scalar.PLAIN ? parseDocument(text) : null
      const isScalarText = plain !== null && plain.errors.length === 0 && isScalar(plain.contents)
      node.value = isScalarText && isScalar(plain.contents) ? plain.contents.value : text
    },
  })
}

function invalid(path: string, line: number, problem: string): OrchestratorError {
  return new OrchestratorError('SETTINGS_INVALID', `${path}:${line}: ${problem}`)
}
