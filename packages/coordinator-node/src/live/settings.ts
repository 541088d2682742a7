import { z } from 'zod'
import { CrunchError } from '../domain/errors.ts'
import { defaultOrganizerId } from '../domain/model-role.ts'
import { nearestName } from '../domain/nearest-name.ts'
import { parseDuration } from '../domain/time.ts'

// The only module that knows the names of environment variables. What a competition IS stands in its contract; this is where
// and how one node runs it.

const text = z.string().trim().min(1, 'is empty: remove the line to use the default')
const port = z.coerce
  .number()
  .int('must be a whole number')
  .min(1, 'must be 1 to 65535')
  .max(65_535, 'must be 1 to 65535')
const seconds = z.coerce.number('must be a number of seconds').positive('must be more than 0')
const within = (lowest: number, highest: number) =>
  z.coerce
    .number(`must be a number from ${lowest} to ${highest}`)
    .min(lowest, `must be ${lowest} to ${highest}`)
    .max(highest, `must be ${lowest} to ${highest}`)
const countWithin = (lowest: number, highest: number) => within(lowest, highest).int('must be a whole number')
const list = text.transform((value) =>
  value
    .split(',')
    .map((item) => item.trim())
    .filter((item) => item !== ''),
)
const duration = text.refine((value) => parseDuration(value) !== undefined, 'must be a duration such as 1m or 1d')
const url = (protocol: RegExp, problem: string) => z.url({ protocol, error: problem })
const functionPath = text.regex(/^[^#]+#[A-Za-z_$][\w$]*$/, 'must be path/to/module.ts#exportName')

const environment = z.object({
  CRUNCH_ID: text.default('starter-challenge'),
  CRUNCH_PUBKEY: text.optional(),
  /** Whose models are the organizer's: neither ranked nor paid, and alone in having the names of baselines. */
  ORGANIZER_CRUNCHER_ID: text.default(defaultOrganizerId),
  COMPUTE_PROVIDER_PUBKEY: text.optional(),
  DATA_PROVIDER_PUBKEY: text.optional(),
  NETWORK: z.enum(['devnet', 'mainnet-beta'], 'must be devnet or mainnet-beta').default('devnet'),
  DATABASE_URL: z.url({ protocol: /^postgres(ql)?$/, error: 'must be a postgres:// URL' }).optional(),
  POSTGRES_HOST: text.optional(),
  POSTGRES_PORT: port.default(5432),
  POSTGRES_USER: text.default('crunch'),
  POSTGRES_PASSWORD: z.string().default(''),
  POSTGRES_DB: text.default('crunch'),
  FEED_SOURCE: text.optional(),
  FEED_SUBJECTS: list.optional(),
  FEED_KIND: text.optional(),
  FEED_GRANULARITY: duration.optional(),
  /** A source of the operator's own, for every feed of the contract. */
  FEED_SOURCE_MODULE: functionPath.optional(),
  FEED_REPLAY_FILES: list.optional(),
  FEED_REPLAY_SPEED: z
    .union([z.literal('max'), z.coerce.number('must be a number or max').positive('must be more than 0')])
    .default('max'),
  FEED_BACKFILL_MINUTES: within(0, 5_256_000).default(180),
  FEED_RECORD_TTL_DAYS: z.coerce.number('must be a number of days').positive('must be more than 0').default(90),
  FEED_POLL_SECONDS: within(0.1, 86_400).default(5),
  FEED_CLOCK_TOLERANCE_SECONDS: within(0, 3_600).default(5),
  FEED_BINANCE_SITE: z
    .enum(['global', 'us', 'data', 'testnet'], 'must be global, us, data (the public mirror) or testnet')
    .default('global'),
  FEED_BINANCE_REST_URL: url(/^https?$/, 'must be a http:// or https:// URL').optional(),
  FEED_BINANCE_STREAM_URL: url(/^wss?$/, 'must be a ws:// or wss:// URL').optional(),
  FEED_PYTH_URL: url(/^https?$/, 'must be a http:// or https:// URL').default('https://pyth.dourolabs.app/hermes'),
  FEED_PYTH_HISTORY_URL: url(/^https?$/, 'must be a http:// or https:// URL').default('https://pyth.dourolabs.app/v1'),
  FEED_PYTH_REQUESTS_PER_10_SECONDS: countWithin(1, 10_000).default(10),
  PYTH_API_KEY: text.optional(),
  FEED_PRICE_API_URL: url(/^https?$/, 'must be a http:// or https:// URL').default(
    'https://api--pricedb--tournament.crunchdao.cloud',
  ),
  CHECKPOINT_INTERVAL_SECONDS: seconds.optional(),
  SCORE_INTERVAL_SECONDS: seconds.default(5),
  MODEL_RUNNER_NODE_HOST: text.default('localhost'),
  MODEL_RUNNER_NODE_PORT: port.default(9091),
  MODEL_RUNNER_TIMEOUT_SECONDS: seconds.optional(),
  MODEL_ORCHESTRATOR_HTTP_HOST: text.default('127.0.0.1'),
  MODEL_ORCHESTRATOR_HTTP_PORT: port.default(8001),
  /** Where an orchestrator of this machine keeps its key; `crunch deploy` sets it. API_KEY wins over it. */
  MODEL_ORCHESTRATOR_KEY_FILE: text.optional(),
  MODEL_RUNNER_MAX_ANSWER_MEBIBYTES: z.coerce
    .number('must be a number of MiB')
    .int('must be a whole number')
    .min(1, 'must be 1 to 64')
    .max(64, 'must be 1 to 64: models can send no more')
    .optional(),
  MODEL_ORCHESTRATOR_PYTHON: text.default('python3'),
  // The ranges are those of the orchestrator's flags, as are the defaults.
  MODEL_MEMORY_MEBIBYTES: countWithin(128, 1_048_576).optional(),
  MODEL_CPU_CORES: within(0.05, 1_024).optional(),
  MODEL_PROCESSES: countWithin(8, 10_000).optional(),
  MODEL_OPEN_FILES: countWithin(64, 1_048_576).optional(),
  MODEL_FOLDER_MEBIBYTES: countWithin(1, 65_536).optional(),
  MODEL_NETWORK: z.enum(['none', 'host'], 'must be none or host').optional(),
  MODEL_ALLOW_BUILDS: z.enum(['true', 'false'], 'must be true or false').optional(),
  MODEL_NAMESPACES: z.enum(['auto', 'off'], 'must be auto or off').optional(),
  GATEWAY_CERT_DIR: text.optional(),
  SECURE_CERT_DIR: text.optional(),
  MODEL_BASE_CLASSNAME: text.default('tracker.TrackerBase'),
  SCORING_FUNCTION: functionPath.optional(),
  INFERENCE_INPUT_BUILDER: functionPath.optional(),
  INFERENCE_OUTPUT_VALIDATOR: functionPath.optional(),
  REPORT_API_PORT: port.default(8000),
  /** Asked for by the orchestrator's HTTP API; the report API only serves public reads. */
  API_KEY: text.optional(),
  LOG_LEVEL: z.enum(['debug', 'info', 'warn', 'error'], 'must be debug, info, warn or error').default('info'),
  LOG_FORMAT: z.enum(['json', 'pretty'], 'must be json or pretty').default('json'),
})

/** How one node runs. */
export type Settings = z.output<typeof environment> & {
  /** `undefined`: the embedded server. */
  readonly databaseUrl: string | undefined
}

/** By how much this node's clock and another one may differ. */
export function clockToleranceMs({ FEED_CLOCK_TOLERANCE_SECONDS: toleranceSeconds }: Settings): number {
  return toleranceSeconds * 1_000
}

/** Names that only we use: an unknown one with such a beginning is a slip of the pen. */
const ownPrefixes = [
  'FEED_',
  'CHECKPOINT_',
  'MODEL_',
  'API_',
  'REPORT_API_',
  'ORGANIZER_',
  'COMPUTE_PROVIDER_',
  'DATA_PROVIDER_',
]

/** Settings of the Python engine that have no meaning here, each with what to do instead. */
const retired: Readonly<Record<string, string>> = {
  MODEL_SECURITY: 'remove it',
  FEED_PROVIDER: 'use FEED_SOURCE',
  FEED_ASSETS: 'use FEED_SUBJECTS',
}

/** Settings that operators of the Python engine know, and what this version does without: set, they would change nothing. */
const notYet: Readonly<Record<string, string>> = {
  ...without('models are ranked by the mean that the contract names', ['MODEL_SCORE_AGGREGATOR', 'LEADERBOARD_RANKER']),
  ...without('the report API serves public reads, on this machine', [
    'API_READ_AUTH',
    'API_PUBLIC_PREFIXES',
    'API_ADMIN_PREFIXES',
  ]),
}

/** Settings that mean nothing without another one. */
const needs: Readonly<Record<string, string>> = {
  POSTGRES_PORT: 'POSTGRES_HOST',
  POSTGRES_USER: 'POSTGRES_HOST',
  POSTGRES_PASSWORD: 'POSTGRES_HOST',
  POSTGRES_DB: 'POSTGRES_HOST',
  FEED_REPLAY_SPEED: 'FEED_REPLAY_FILES',
}

/** Settings that contradict each other. */
const excludes: Readonly<Record<string, string>> = { GATEWAY_CERT_DIR: 'SECURE_CERT_DIR' }

function without(instead: string, keys: readonly string[]): Record<string, string> {
  return Object.fromEntries(keys.map((key) => [key, instead]))
}

/**
 * Reads and checks the environment.
 * Throws a `CrunchError` SETTINGS_INVALID with every finding: the key, the cause and the fix. Values of secrets are not shown.
 */
export function readSettings(env: Readonly<Record<string, string | undefined>>): Settings {
  const findings = uselessKeys(env)
  const parsed = environment.safeParse(env)
  if (!parsed.success) {
    findings.push(...parsed.error.issues.map((issue) => `${issue.path.join('.')}: ${issue.message}`))
  }
  if (!parsed.success || findings.length > 0) {
    throw new CrunchError(
      'SETTINGS_INVALID',
      `The settings are wrong:\n${findings.map((line) => `  - ${line}`).join('\n')}`,
    )
  }
  return { ...parsed.data, databaseUrl: databaseUrl(parsed.data) }
}

function uselessKeys(env: Readonly<Record<string, string | undefined>>): string[] {
  const known = [...Object.keys(environment.shape), ...Object.keys(notYet)]
  const inert = Object.entries(notYet)
    .filter(([key]) => env[key] !== undefined)
    .map(([key, instead]) => `${key}: has no effect in this version, where ${instead}; remove it`)
  const unknown = Object.keys(env)
    .filter((key) => ownPrefixes.some((prefix) => key.startsWith(prefix)) && !known.includes(key))
    .map((key) => {
      const nearest = nearestName(key, known)
      const fix = retired[key] ?? (nearest === undefined ? 'remove it' : `did you mean ${nearest}?`)
      return `${key}: there is no such setting; ${fix}`
    })
  const needed = Object.entries(needs)
    .filter(([key, other]) => env[key] !== undefined && env[other] === undefined)
    .map(([key, other]) => `${key}: has no effect without ${other}; set that too, or remove it`)
  const excluded = Object.entries(excludes)
    .filter(([key, other]) => env[key] !== undefined && env[other] !== undefined)
    .map(
      ([key, other]) => `${key}: cannot be set beside ${other}, a node has one mode for its models; remove one of them`,
    )
  return [...unknown, ...inert, ...needed, ...excluded]
}

function databaseUrl(settings: z.output<typeof environment>): string | undefined {
  if (settings.DATABASE_URL !== undefined) return settings.DATABASE_URL
  if (settings.POSTGRES_HOST === undefined) return undefined
  const user = encodeURIComponent(settings.POSTGRES_USER)
  const password = settings.POSTGRES_PASSWORD === '' ? '' : `:${encodeURIComponent(settings.POSTGRES_PASSWORD)}`
  return `postgres://${user}${password}@${settings.POSTGRES_HOST}:${settings.POSTGRES_PORT}/${encodeURIComponent(settings.POSTGRES_DB)}`
}
