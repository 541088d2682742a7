import { z } from 'zod'
import { hostProblem, readAddress } from '../adapters/store/postgres/session/address.ts'
import { CrunchError } from '../domain/errors.ts'
import { defaultOrganizerId } from '../domain/models/model-role.ts'
import {
  countWithin,
  duration,
  functionPath,
  hasLogin,
  list,
  networks,
  pathPrefixes,
  port,
  speed,
  text,
  url,
  within,
  yesOrNo,
} from './setting-values.ts'
import { unknownInFile, unknownInProcess } from './unknown-keys.ts'

// The only module that knows the names of environment variables. The contract defines a competition; settings define where and
// how one node runs it.

/** Every setting: its comment is its documentation, see `docs/reference/settings.md`. */
export const settingsSchema = z.object({
  /** Id of the competition; path of the discovery socket. */
  CRUNCH_ID: text.default('starter-challenge'),
  /** On-chain name of the competition, written into payouts. */
  CRUNCH_PUBKEY: text.optional(),
  /** Cruncher who owns the organizer's models: baselines, never ranked or paid. */
  ORGANIZER_CRUNCHER_ID: text.default(defaultOrganizerId),
  /** On-chain name of the compute provider, written into payouts. */
  COMPUTE_PROVIDER_PUBKEY: text.optional(),
  /** On-chain name of the data provider, written into payouts. */
  DATA_PROVIDER_PUBKEY: text.optional(),
  /** Accounts of crunchers on chain: a JSON file, relative to the contract; an `https://` URL of the same JSON; or `deployments`: the orchestrator announces wallets as ids of crunchers. */
  CRUNCHER_REGISTRY: text.superRefine(checkRegistry).default('crunchers.json'),
  /** Solana RPC server that is asked whether the transaction of a payout exists, is final and succeeded; needs the package `@solana/kit`. Unset: only the form of its id is checked. */
  SOLANA_RPC_URL: url(/^https?$/, 'must be an http:// or https:// URL').optional(),
  /** Network shown by `/info`. */
  NETWORK: z.enum(['devnet', 'mainnet-beta'], 'must be devnet or mainnet-beta').default('devnet'),
  /** URL of the database; without it and `POSTGRES_HOST`, the embedded server. */
  DATABASE_URL: text.superRefine(checkAddress).optional(),
  /** Host of the database, or the folder of its socket; instead of `DATABASE_URL`. */
  POSTGRES_HOST: text.superRefine(checkHost).optional(),
  /** Port at `POSTGRES_HOST`. */
  POSTGRES_PORT: port.default(5432),
  /** User at `POSTGRES_HOST`. */
  POSTGRES_USER: text.default('crunch'),
  /** Password at `POSTGRES_HOST`. */
  POSTGRES_PASSWORD: z.string().default(''),
  /** Database at `POSTGRES_HOST`. */
  POSTGRES_DB: text.default('crunch'),
  /** Replaces the source of the contract's feed. */
  FEED_SOURCE: text.optional(),
  /** Replaces the subjects of the contract's feed; comma-separated. */
  FEED_SUBJECTS: list.optional(),
  /** Replaces the kind of the contract's feed. */
  FEED_KIND: text.optional(),
  /** Replaces the granularity of the contract's feed, e.g. `1m`. */
  FEED_GRANULARITY: duration.optional(),
  /** `path/to/module.ts#export` of a source for every feed, instead of the contract's; relative to the contract. */
  FEED_SOURCE_MODULE: functionPath().optional(),
  /** Recordings to replay instead of live data; comma-separated. */
  FEED_REPLAY_FILES: list.optional(),
  /** Replay speed: a multiple of real time, or `max`. */
  FEED_REPLAY_SPEED: speed.default('max'),
  /** How far back a series without records is filled, at least the input's window; 0: not at all. */
  FEED_BACKFILL_MINUTES: within(0, 5_256_000).default(180),
  /** Age at which records are deleted. */
  FEED_RECORD_TTL_DAYS: within(0.001, 36_500).default(90),
  /** Age at which rounds are deleted, with their predictions and scores. Unset: never. */
  ROUND_TTL_DAYS: within(0.001, 36_500).optional(),
  /** Age at which snapshots and leaderboards are deleted. Unset: never. */
  SNAPSHOT_TTL_DAYS: within(0.001, 36_500).optional(),
  /** Interval at which the source `crunch-prices` is polled. */
  FEED_POLL_SECONDS: within(0.1, 86_400).default(5),
  /** How far ahead of this node's clock a record may be known. */
  FEED_CLOCK_TOLERANCE_SECONDS: within(0, 3_600).default(5),
  /** Binance site; `data` is the mirror of public market data. */
  FEED_BINANCE_SITE: z
    .enum(['global', 'us', 'data', 'testnet'], 'must be global, us, data (the public mirror) or testnet')
    .default('global'),
  /** Replaces the REST URL of the Binance site, e.g. by a proxy. */
  FEED_BINANCE_REST_URL: url(/^https?$/, 'must be an http:// or https:// URL').optional(),
  /** Replaces the WebSocket URL of the Binance site. */
  FEED_BINANCE_STREAM_URL: url(/^wss?$/, 'must be a ws:// or wss:// URL').optional(),
  /** URL of Pyth Hermes. */
  FEED_PYTH_URL: url(/^https?$/, 'must be an http:// or https:// URL').default('https://pyth.dourolabs.app/hermes'),
  /** URL of Pyth's price history. */
  FEED_PYTH_HISTORY_URL: url(/^https?$/, 'must be an http:// or https:// URL').default('https://pyth.dourolabs.app/v1'),
  /** Request limit at Pyth. */
  FEED_PYTH_REQUESTS_PER_10_SECONDS: countWithin(1, 10_000).default(10),
  /** API key of the source `pyth`. */
  PYTH_API_KEY: text.optional(),
  /** URL of the source `crunch-prices`. */
  FEED_PRICE_API_URL: url(/^https?$/, 'must be an http:// or https:// URL').default(
    'https://api--pricedb--tournament.crunchdao.cloud',
  ),
  /** Replaces the contract's `checkpoint.every`. */
  CHECKPOINT_INTERVAL_SECONDS: within(0.001, 315_360_000).optional(),
  /** Interval of the score and checkpoint workers; no effect in a replay. */
  SCORE_INTERVAL_SECONDS: within(0.01, 86_400).default(5),
  /** Host of the model orchestrator. */
  MODEL_RUNNER_NODE_HOST: text.default('localhost'),
  /** `external`: `crunch deploy` starts no orchestrator but uses the one at `MODEL_RUNNER_NODE_HOST`, also on this machine. Unset: `crunch deploy` starts one if that host is this machine. */
  MODEL_ORCHESTRATOR: z.literal('external', 'must be external, or not set').optional(),
  /** Port of the model orchestrator. */
  MODEL_RUNNER_NODE_PORT: port.default(9091),
  /** Replaces the contract's `prediction.timeout` on this node. */
  MODEL_RUNNER_TIMEOUT_SECONDS: within(0.001, 86_400).optional(),
  /** Host of the orchestrator's HTTP API, used by `crunch models`. */
  MODEL_ORCHESTRATOR_HTTP_HOST: text.default('127.0.0.1'),
  /** Port of the orchestrator's HTTP API. */
  MODEL_ORCHESTRATOR_HTTP_PORT: port.default(8001),
  /** File with the key of an orchestrator on this machine, set by `crunch deploy`; `API_KEY` takes precedence. */
  MODEL_ORCHESTRATOR_KEY_FILE: text.optional(),
  /** Maximum size of a model's answer, in MiB. Unset: derived from the contract's `prediction.maxValues`, 1.2 by default. */
  MODEL_RUNNER_MAX_ANSWER_MEBIBYTES: countWithin(1, 64).optional(),
  /** Python 3.11 or newer, for Python models and notebooks. */
  MODEL_ORCHESTRATOR_PYTHON: text.default('python3'),
  // The ranges are those of the orchestrator's flags, as are the defaults.
  /** Memory of one model, over all its processes; by default 1024. */
  MODEL_MEMORY_MEBIBYTES: countWithin(128, 1_048_576).optional(),
  /** CPU cores of one model, over all its processes; by default 1. */
  MODEL_CPU_CORES: within(0.05, 1_024).optional(),
  /** Maximum time from the start of a model's process until it serves, including imports, excluding waits for a processor; by default 30000. */
  MODEL_START_TIMEOUT_MILLISECONDS: countWithin(100, 600_000).optional(),
  /** Processes of one model; by default 64. */
  MODEL_PROCESSES: countWithin(8, 10_000).optional(),
  /** Open files of each process of a model; by default 1024. */
  MODEL_OPEN_FILES: countWithin(64, 1_048_576).optional(),
  /** Size of the folder that a model may write to; by default 64. */
  MODEL_FOLDER_MEBIBYTES: countWithin(1, 65_536).optional(),
  /** `none`: models have no network, or the start is refused. `host`: models have the network of this machine. Unset: no network where the machine can enforce that; `crunch models` shows it. */
  MODEL_NETWORK: z.enum(['none', 'host'], 'must be none or host').optional(),
  /** Build Python packages that have no wheel from source. The build runs their code, confined. */
  MODEL_ALLOW_BUILDS: z.enum(['true', 'false'], 'must be true or false').optional(),
  /** `off`: models run unconfined and see all files, devices and processes of this user, e.g. to use a GPU. */
  MODEL_NAMESPACES: z.enum(['auto', 'off'], 'must be auto or off').optional(),
  /** Folder with `key.pem` (RSA): models are called through a gateway with signed calls. Excludes `SECURE_CERT_DIR`. */
  GATEWAY_CERT_DIR: text.optional(),
  /** Folder with `ca.crt`, `tls.crt` and `tls.key`: models are called with mutual TLS. Unset: no TLS. */
  SECURE_CERT_DIR: text.optional(),
  /** Base class of the participants' models. */
  MODEL_BASE_CLASSNAME: text.default('tracker.TrackerBase'),
  /** `path/to/module.ts#export` that replaces the contract's `score.compute`; relative to the contract. */
  SCORING_FUNCTION: functionPath().optional(),
  /** `path/to/module.ts#export` that replaces the contract's `input.build`. */
  INFERENCE_INPUT_BUILDER: functionPath().optional(),
  /** `path/to/module.ts#export` that gets each answer the schema accepted, and returns it or throws. */
  INFERENCE_OUTPUT_VALIDATOR: functionPath().optional(),
  /** `path/to/module.ts#export` that replaces the contract's `leaderboard.aggregate`: the value of a model in a window. */
  MODEL_SCORE_AGGREGATOR: functionPath(
    'in Python, the function got all scored predictions and returned a list of entries; here it gets { scores }, the scores of one model in one window, and returns the value of the model',
  ).optional(),
  /** `path/to/module.ts#export` that replaces the contract's `leaderboard.rank`: the order of the models. */
  LEADERBOARD_RANKER: functionPath(
    'in Python, the function got the list of entries and returned it in order; here it gets { models }, with the value of each window, and returns the ids of the models, best first',
  ).optional(),
  /** Port of the report API and of the page. */
  REPORT_API_PORT: port.default(8000),
  /** A second port for the same, e.g. 3000, where the page of the Python engine was. Unset: none. */
  REPORT_UI_PORT: port.optional(),
  /** Address on which both ports listen: `127.0.0.1` (this machine), or `0.0.0.0` or `::` (all addresses). */
  REPORT_API_HOST: z
    .enum(['127.0.0.1', '0.0.0.0', '::'], 'must be 127.0.0.1 (this machine), or 0.0.0.0 or :: (all addresses)')
    .default('127.0.0.1'),
  /** A key of the report API with the scope `admin`; prefer `crunch keys`, whose keys can be rotated and revoked. It also replaces the generated key of the orchestrator's HTTP API. */
  API_KEY: text.optional(),
  /** `true`: reads of the report API that are not public need a key. */
  API_READ_AUTH: yesOrNo.default(false),
  /** Path prefixes that replace the public reads of the report API; comma-separated. */
  API_PUBLIC_PREFIXES: pathPrefixes.optional(),
  /** Path prefixes that replace the reads of the report API that need an organizer's key, on a node with keys; comma-separated. */
  API_ADMIN_PREFIXES: pathPrefixes.optional(),
  /** Proxies in front of the report API whose `X-Forwarded-For` is believed: addresses and networks such as `10.0.0.0/8`; comma-separated. */
  API_TRUSTED_PROXIES: networks.optional(),
  /** Lowest level that is logged. */
  LOG_LEVEL: z.enum(['debug', 'info', 'warn', 'error'], 'must be debug, info, warn or error').default('info'),
  /** Folder with the log files of the services, which the report API shows to admins; set by `crunch deploy`. */
  SERVICE_LOG_DIRECTORY: text.optional(),
  /** Format of log lines. */
  LOG_FORMAT: z.enum(['json', 'pretty'], 'must be json or pretty').default('json'),
})

/** How one node runs: every setting of docs/reference/settings.md under its own name, with defaults filled in. */
export type Settings = z.output<typeof settingsSchema> & {
  /** `undefined`: the embedded server. */
  readonly databaseUrl: string | undefined
}

/** Tolerated skew between this node's clock and another one. */
export function clockToleranceMs({ FEED_CLOCK_TOLERANCE_SECONDS: toleranceSeconds }: Settings): number {
  return toleranceSeconds * 1_000
}

/** Settings that have no effect without another one. */
const needs: Readonly<Record<string, string>> = {
  POSTGRES_PORT: 'POSTGRES_HOST',
  POSTGRES_USER: 'POSTGRES_HOST',
  POSTGRES_PASSWORD: 'POSTGRES_HOST',
  POSTGRES_DB: 'POSTGRES_HOST',
  FEED_REPLAY_SPEED: 'FEED_REPLAY_FILES',
}

/** Settings that contradict each other. */
const excludes: Readonly<Record<string, string>> = {
  GATEWAY_CERT_DIR: 'SECURE_CERT_DIR',
  POSTGRES_HOST: 'DATABASE_URL',
}

/** Origins of environment variables that were merged from a node's settings files. */
export interface SettingsFiles {
  /** Place of each key that came from a file, e.g. `/srv/node/.local.env:3`. */
  readonly places: ReadonlyMap<string, string>
  /** Whether other code, e.g. the author's own, reads a key that is not a setting. */
  isReadElsewhere(key: string): boolean
}

const noFiles: SettingsFiles = { places: new Map(), isReadElsewhere: () => false }

/**
 * Reads and checks the environment.
 * Throws a `CrunchError` SETTINGS_INVALID with every finding: the place, the key, the cause and the fix. Values are not shown.
 * @param files the origins of the keys of `env`; a key without a place is from the process environment
 */
export function readSettings(
  env: Readonly<Record<string, string | undefined>>,
  files: SettingsFiles = noFiles,
): Settings {
  const findings = uselessKeys(env, files)
  const parsed = settingsSchema.safeParse(env)
  if (!parsed.success) {
    findings.push(...parsed.error.issues.map((issue) => ({ key: issue.path.join('.'), problem: issue.message })))
  }
  if (!parsed.success || findings.length > 0) {
    const lines = findings.map(({ key, problem }) => {
      const place = files.places.get(key)
      return `  - ${place === undefined ? '' : `${place}: `}${key}: ${problem}`
    })
    throw new CrunchError('SETTINGS_INVALID', `The settings are wrong:\n${lines.join('\n')}`)
  }
  return { ...parsed.data, databaseUrl: databaseUrl(parsed.data) }
}

const knownKeys = Object.keys(settingsSchema.shape)

/** Keys of the node's files that are neither settings nor similar to one, and that no known code reads. */
export function unreadKeys({ places, isReadElsewhere }: SettingsFiles): readonly string[] {
  return [...places.keys()].filter(
    (key) => !knownKeys.includes(key) && unknownInFile(key, knownKeys) === undefined && !isReadElsewhere(key),
  )
}

interface KeyFinding {
  readonly key: string
  readonly problem: string
}

function uselessKeys(env: Readonly<Record<string, string | undefined>>, files: SettingsFiles): KeyFinding[] {
  const isSet = (key: string) => env[key] !== undefined
  const unknown = Object.keys(env)
    .filter((key) => isSet(key) && !knownKeys.includes(key))
    .flatMap((key) => {
      const problem = files.places.has(key) ? unknownInFile(key, knownKeys) : unknownInProcess(key, knownKeys)
      return problem === undefined || files.isReadElsewhere(key) ? [] : [{ key, problem }]
    })
  const needed = Object.entries(needs)
    .filter(([key, other]) => isSet(key) && !isSet(other))
    .map(([key, other]) => ({ key, problem: `has no effect without ${other}; set that too, or remove it` }))
  const excluded = Object.entries(excludes)
    .filter(([key, other]) => isSet(key) && isSet(other))
    .map(([key, other]) => ({ key, problem: `cannot be combined with ${other}; remove one of them` }))
  return [...unknown, ...needed, ...excluded]
}

function checkAddress(url: string, context: z.RefinementCtx): void {
  const address = readAddress(url)
  if ('problem' in address) context.addIssue({ code: 'custom', message: address.problem })
}

/** What pays must not be changed on its way. */
function checkRegistry(source: string, context: z.RefinementCtx): void {
  if (!/^[a-z][a-z\d+.-]*:\/\//i.test(source)) return
  const url = new URL(URL.canParse(source) ? source : 'unreadable:')
  const { protocol, hostname } = url
  const isHere = ['localhost', '127.0.0.1', '[::1]'].includes(hostname)
  if (!hasLogin(url) && (protocol === 'https:' || (protocol === 'http:' && isHere))) return
  context.addIssue({
    code: 'custom',
    message:
      'must be an https:// URL without a name and password (http:// only on this machine), a path, or deployments',
  })
}

function checkHost(host: string, context: z.RefinementCtx): void {
  const problem = hostProblem(host)
  if (problem === undefined) return
  const others = '; the port is POSTGRES_PORT, and a whole URL is DATABASE_URL'
  context.addIssue({ code: 'custom', message: `${problem}${others}` })
}

function databaseUrl(settings: z.output<typeof settingsSchema>): string | undefined {
  if (settings.DATABASE_URL !== undefined) return settings.DATABASE_URL
  const { POSTGRES_HOST: host, POSTGRES_PORT: hostPort } = settings
  if (host === undefined) return undefined
  const [user, password, name] = [settings.POSTGRES_USER, settings.POSTGRES_PASSWORD, settings.POSTGRES_DB].map(
    encodeURIComponent,
  )
  const login = password === '' ? user : `${user}:${password}`
  if (host.startsWith('/')) return `postgres://${login}@localhost:${hostPort}/${name}?host=${encodeURIComponent(host)}`
  const server = host.includes(':') ? `[${encodeURIComponent(host).replaceAll('%3A', ':')}]` : host
  return `postgres://${login}@${server}:${hostPort}/${name}`
}
