import { type Document, isScalar, LineCounter, parseDocument, Scalar, visit } from 'yaml'
import { z } from 'zod'
import { OrchestratorError } from '../errors.ts'
import { lineOf } from '../models-file/yaml-lines.ts'

/** What an `orchestrator.dev.yml` sets; what is absent is left to flags and defaults. */
export interface OrchestratorConfig {
  readonly logLevel?: 'debug' | 'info' | 'warn' | 'error'
  /** Where coordinators connect. */
  readonly host?: string
  readonly port?: number
  readonly pingIntervalMs?: number
  readonly pongTimeoutMs?: number
  readonly submissionsDirectory?: string
  readonly modelsFile?: string
  readonly pollMs?: number
  /** False: a quarantine ends with the orchestrator. */
  readonly remembersQuarantine: boolean
  readonly crunches: readonly { readonly id: string; readonly modelEnvironment: Readonly<Record<string, string>> }[]
  /** One sentence for each setting that has no effect here. */
  readonly ignored: readonly string[]
}

const LOG_LEVELS = {
  trace: 'debug',
  debug: 'debug',
  info: 'info',
  warning: 'warn',
  error: 'error',
  critical: 'error',
} as const

const ignoredText = z.union([z.string(), z.number(), z.boolean()]).nullish()
const seconds = z.number().positive().max(3_600)
const port = z.int().min(0).max(65_535)
/** Settings of clouds: they are not ours to check. */
const anyMap = z.record(z.string(), z.unknown()).nullish()

const publisherSchema = z.discriminatedUnion('type', [
  z.strictObject({
    type: z.literal('websocket'),
    address: z.string().min(1).nullish(),
    port: port.nullish(),
    'ping-interval': seconds.nullish(),
    'ping-timeout': seconds.nullish(),
  }),
  z.strictObject({ type: z.literal('rabbitmq'), url: ignoredText }),
])

const crunchSchema = z.strictObject({
  id: z.string().min(1),
  name: ignoredText,
  'onchain-name': ignoredText,
  infrastructure: z
    .strictObject({
      zone: ignoredText,
      'cluster-name': ignoredText,
      'cpu-config': anyMap,
      'gpu-config': anyMap,
      'is-secure': z.boolean().nullish(),
      'runner-envs': z.record(z.string(), z.union([z.string(), z.number(), z.boolean()]).transform(String)).nullish(),
    })
    .nullish(),
  'network-config': anyMap,
  'run-schedule': z
    .strictObject({ intervals: z.array(z.string()).nullish(), timezone: z.string().nullish() })
    .nullish(),
})

const configSchema = z.strictObject({
  logging: z
    .strictObject({
      level: z.enum(Object.keys(LOG_LEVELS) as (keyof typeof LOG_LEVELS)[]).nullish(),
      file: z.strictObject({ path: ignoredText }).nullish(),
    })
    .nullish(),
  infrastructure: z
    .strictObject({
      database: z.strictObject({ type: ignoredText, path: ignoredText }).nullish(),
      publishers: z.array(publisherSchema).nullish(),
      runner: z
        .strictObject({
          type: z.literal('local', 'must be local: this orchestrator starts models as processes of this machine'),
          'docker-network-name': ignoredText,
          'submission-storage-path-format': z
            .string()
            .regex(/^.+\/\{id\}\/?$/, 'must end with /{id}: each submission is a folder named by its id')
            .nullish(),
          'resource-storage-path-format': ignoredText,
          'rebuild-mode': ignoredText,
        })
        .nullish(),
    })
    .nullish(),
  watcher: z
    .strictObject({
      interval: z.number().min(0.05).max(60).nullish(),
      poller: z
        .discriminatedUnion('type', [
          z.strictObject({ type: z.literal('yaml'), path: z.string().min(1) }),
          z.strictObject({ type: z.literal('onchain'), url: ignoredText }),
        ])
        .nullish(),
    })
    .nullish(),
  crunches: z.array(crunchSchema).min(1),
  'signature-verifier': anyMap,
  'tournament-api-url': ignoredText,
  'use-augmented-info': z.boolean().nullish(),
  'can-place-in-quarantine': z.boolean().nullish(),
})
type Parsed = z.output<typeof configSchema>

/**
 * Reads the deployed orchestrator's configuration. `$NAME` and `${NAME}` in values are replaced from `environment`.
 * Throws `SETTINGS_INVALID` with path, line, cause and fix for unknown keys, wrong values and variables that are not set.
 */
export function parseOrchestratorConfig(input: {
  readonly path: string
  readonly text: string
  readonly environment: NodeJS.ProcessEnv
}): OrchestratorConfig {
  const { path } = input
  const lines = new LineCounter()
  const document = parseDocument(input.text, { lineCounter: lines, prettyErrors: false })
  const [syntaxError] = document.errors
  if (syntaxError) throw invalid(path, lines.linePos(syntaxError.pos[0]).line, syntaxError.message)
  expandVariables(document, input.environment, (node, problem) => {
    throw invalid(path, node.range ? lines.linePos(node.range[0]).line : 1, problem)
  })
  const parsed = configSchema.safeParse(readDocument(document, path))
  if (!parsed.success) {
    const findings = parsed.error.issues.map((issue) => {
      const place = issue.path.map((part) => (typeof part === 'symbol' ? String(part) : part))
      // An unknown key has its own line.
      const key = issue.code === 'unrecognized_keys' ? issue.keys[0] : undefined
      const line = lineOf(document, lines, key === undefined ? place : [...place, key])
      return { line, text: `${place.join('.') || 'the file'} (line ${line}): ${issue.message}` }
    })
    throw invalid(path, findings[0]?.line ?? 1, findings.map(({ text }) => text).join('; '))
  }
  return toConfig(parsed.data)
}

function toConfig(file: Parsed): OrchestratorConfig {
  const { watcher, crunches } = file
  const publishers = file.infrastructure?.publishers ?? []
  const socket = publishers.find((publisher) => publisher.type === 'websocket')
  const format = file.infrastructure?.runner?.['submission-storage-path-format']
  const poller = watcher?.poller
  const values = {
    logLevel: file.logging?.level ? LOG_LEVELS[file.logging.level] : undefined,
    host: socket?.address ?? undefined,
    port: socket?.port ?? undefined,
    pingIntervalMs: toMs(socket?.['ping-interval']),
    pongTimeoutMs: toMs(socket?.['ping-timeout']),
    submissionsDirectory: format?.replace(/\/\{id\}\/?$/, ''),
    modelsFile: poller?.type === 'yaml' ? poller.path : undefined,
    pollMs: toMs(watcher?.interval),
  }
  const present = Object.entries(values).filter(([, value]) => value !== undefined)
  return {
    ...(Object.fromEntries(present) as Partial<OrchestratorConfig>),
    remembersQuarantine: file['can-place-in-quarantine'] ?? true,
    crunches: crunches.map(({ id, infrastructure }) => ({
      id,
      modelEnvironment: infrastructure?.['runner-envs'] ?? {},
    })),
    ignored: describeIgnored(file),
  }
}

/** Which settings have no effect, and what does instead. */
function describeIgnored(file: Parsed): string[] {
  const { infrastructure, logging, watcher } = file
  const runner = infrastructure?.runner
  const [, ...moreSockets] = (infrastructure?.publishers ?? []).filter(({ type }) => type === 'websocket')
  const notes: (readonly [unknown, string])[] = [
    [logging?.file?.path, 'logging.file: logs go to stderr; redirect it'],
    [infrastructure?.database, 'infrastructure.database: nothing is kept in a database'],
    [infrastructure?.publishers?.some(({ type }) => type === 'rabbitmq'), 'infrastructure.publishers: rabbitmq'],
    [moreSockets.length > 0, 'infrastructure.publishers: every websocket after the first'],
    [namedNetwork(runner?.['docker-network-name']), 'infrastructure.runner.docker-network-name: no Docker is used'],
    [
      runner?.['resource-storage-path-format'],
      'infrastructure.runner.resource-storage-path-format: resources are looked for in models/ beside the submissions',
    ],
    [
      runner?.['rebuild-mode'] !== 'disabled' && runner?.['rebuild-mode'],
      'infrastructure.runner.rebuild-mode: environments are created again when requirements change',
    ],
    [watcher?.poller?.type === 'onchain', 'watcher.poller onchain: give the models with --models'],
    [file['signature-verifier'], 'signature-verifier: signatures are not checked'],
    [file['tournament-api-url'], 'tournament-api-url: names come from the models file'],
    [isGiven(file['use-augmented-info']), 'use-augmented-info: names come from the models file'],
    ...file.crunches.flatMap(describeIgnoredOfCrunch),
  ]
  return notes.filter(([value]) => isGiven(value) && value !== false).map(([, note]) => note)
}

function describeIgnoredOfCrunch(crunch: Parsed['crunches'][number]): (readonly [unknown, string])[] {
  const { id, infrastructure: own } = crunch
  const limits = 'limit models with MODEL_MEMORY_MEBIBYTES and MODEL_CPU_CORES'
  return [
    [crunch['onchain-name'], `crunches ${id}: onchain-name`],
    [own?.zone ?? own?.['cluster-name'], `crunches ${id}: infrastructure.zone and cluster-name: models run here`],
    [own?.['cpu-config'], `crunches ${id}: infrastructure.cpu-config: ${limits}`],
    [own?.['gpu-config'], `crunches ${id}: infrastructure.gpu-config: ${limits}`],
    [own?.['is-secure'], `crunches ${id}: infrastructure.is-secure: models listen on loopback, without TLS`],
    [crunch['network-config'], `crunches ${id}: network-config`],
    [crunch['run-schedule'], `crunches ${id}: run-schedule: models run all the time`],
  ]
}

function isGiven(value: unknown): boolean {
  return value !== undefined && value !== null
}

/** These four mean that there is none. */
function namedNetwork(name: unknown): boolean {
  return name !== undefined && name !== null && !['', 'null', 'None'].includes(String(name))
}

function toMs(durationSeconds: number | null | undefined): number | undefined {
  return durationSeconds === null || durationSeconds === undefined ? undefined : Math.round(durationSeconds * 1_000)
}

/** A value that was written without quotes may become a number; it never becomes anything with parts. */
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

function readDocument(document: Document, path: string): unknown {
  try {
    return document.toJS()
  } catch (error) {
    // Only aliases (too many, or to an anchor that does not exist) fail here.
    throw invalid(path, 1, error instanceof Error ? error.message : String(error))
  }
}

function invalid(path: string, line: number, problem: string): OrchestratorError {
  return new OrchestratorError('SETTINGS_INVALID', `${path}:${line}: ${problem}`)
}
