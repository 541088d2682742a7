import { z } from 'zod'
import { DEFAULT_MODEL_LIMITS } from '../limit/model-limits.ts'

/** How to set a setting. A flag overrides the environment, which overrides the file of `--config`, which overrides the default. */
export interface Ways {
  readonly description: string
  readonly flag?: string
  readonly env?: string
  /** Its key in the file; `config-file.ts` defines the meaning. */
  readonly file?: string
}

const WAYS = z.registry<Ways>()

function setting<Type extends z.ZodType>(description: string, type: Type, ways: Omit<Ways, 'description'>): Type {
  WAYS.add(type, { ...ways, description })
  return type
}

const within = (kind: string, type: (problem: string) => z.ZodNumber) => (lowest: number, highest: number) => {
  const problem = `must be ${kind} from ${lowest} to ${highest}`
  return type(problem).min(lowest, problem).max(highest, problem)
}
const whole = within('a whole number', z.int)
const decimal = within('a number', z.number)
const PORT = whole(0, 65_535)
const MS = whole(1, 3_600_000)
const limits = DEFAULT_MODEL_LIMITS

/** Every setting of `start`, grouped and named as in `OrchestratorSettings`. */
export const SETTINGS = z.object({
  config: setting('orchestrator.dev.yml; flags and the environment override it', z.string().optional(), {
    flag: '--config <file>',
  }),
  modelsFile: setting('models.dev.yml: the models to run', z.string(), {
    flag: '--models <file>',
    file: 'watcher.poller.path',
  }),
  submissionsDirectory: setting('folder with one subfolder per submission, named by its id', z.string(), {
    flag: '--submissions <directory>',
    file: 'infrastructure.runner.submission-storage-path-format',
  }),
  crunchId: setting('the competition', z.string().default('starter-challenge'), {
    flag: '--crunch-id <id>',
    env: 'CRUNCH_ID',
    file: 'crunches.id',
  }),
  baseClassName: setting("base class of participants' models", z.string().default('tracker.TrackerBase'), {
    flag: '--base-class-name <name>',
    env: 'MODEL_BASE_CLASSNAME',
  }),
  host: setting('address of the discovery socket', z.string().default('127.0.0.1'), {
    flag: '--host <address>',
    file: 'infrastructure.publishers.address',
  }),
  port: setting('port of the discovery socket, 0 for a free one', PORT.default(9091), {
    flag: '--port <port>',
    env: 'MODEL_RUNNER_NODE_PORT',
    file: 'infrastructure.publishers.port',
  }),
  http: z.object({
    host: setting(
      'address of the HTTP API; requests need the key in .orchestrator-key beside the logs, or API_KEY',
      z.string().default('127.0.0.1'),
      { flag: '--http-host <address>', env: 'MODEL_ORCHESTRATOR_HTTP_HOST' },
    ),
    port: setting(
      'port of the HTTP API, 0 for a free one, "off" for none',
      z.union([z.literal('off'), PORT], 'must be a whole number from 0 to 65535, or off').default(8001),
      { flag: '--http-port <port>', env: 'MODEL_ORCHESTRATOR_HTTP_PORT' },
    ),
  }),
  apiKey: setting('key of the HTTP API, instead of a generated one', z.string().optional(), { env: 'API_KEY' }),
  logsDirectory: setting('folder for the logs of models; without it their output is dropped', z.string().optional(), {
    flag: '--logs <directory>',
  }),
  logLevel: setting('lowest level that is logged', z.enum(['debug', 'info', 'warn', 'error']).default('info'), {
    flag: '--log-level <level>',
    env: 'LOG_LEVEL',
    file: 'logging.level',
  }),
  startTimeoutMs: setting(
    'limit from the start of a process until it serves, not counting its waiting for a processor',
    whole(100, 600_000).default(30_000),
    { flag: '--start-timeout <ms>', env: 'MODEL_START_TIMEOUT_MILLISECONDS' },
  ),
  stopTimeoutMs: setting('time from SIGTERM to SIGKILL', whole(0, 3_000).default(2_000), {
    flag: '--stop-timeout <ms>',
  }),
  pollMs: setting('how often the models file is read', whole(50, 60_000).default(1_000), {
    flag: '--poll <ms>',
    file: 'watcher.interval',
  }),
  discovery: z.object({
    keepaliveMs: setting('how often coordinators are pinged', MS.optional(), {
      file: 'infrastructure.publishers.ping-interval',
    }),
    pongTimeoutMs: setting('a coordinator that answers a ping later than this is disconnected', MS.optional(), {
      file: 'infrastructure.publishers.ping-timeout',
    }),
  }),
  remembersQuarantine: setting('false: a restart of the orchestrator ends quarantines', z.boolean().default(true), {
    file: 'can-place-in-quarantine',
  }),
  restart: z.object({
    initialDelayMs: setting('wait before the first restart, doubled each time', MS.default(1_000), {
      flag: '--restart-delay <ms>',
    }),
    maxDelayMs: setting('longest wait before a restart', MS.default(60_000), { flag: '--restart-max-delay <ms>' }),
    stableAfterMs: setting('serving this long resets the failure count', MS.default(60_000), {
      flag: '--stable-after <ms>',
    }),
    maxQuickFailures: setting('failures in a row until quarantine', whole(1, 1_000).default(5), {
      flag: '--max-failures <count>',
    }),
  }),
  python: z.object({
    program: setting('Python 3.11 or newer, for Python submissions and notebooks', z.string().default('python3'), {
      flag: '--python <program>',
      env: 'MODEL_ORCHESTRATOR_PYTHON',
    }),
    path: setting(
      'folder from which Python models import the base class; may be repeated',
      z.array(z.string()).default([]),
      {
        flag: '--python-path <directory>',
      },
    ),
    environmentsDirectory: setting(
      'folder for Python environments (default: beside the submissions)',
      z.string().optional(),
      { flag: '--environments <directory>' },
    ),
    allowBuilds: setting(
      'true: packages without a wheel are built, confined like models',
      z.enum(['true', 'false']).default('false'),
      { flag: '--model-allow-builds <whether>', env: 'MODEL_ALLOW_BUILDS' },
    ),
  }),
  modelLimits: z.object({
    memoryMib: setting('resident memory of one model', whole(128, 1_048_576).default(limits.memoryMib), {
      flag: '--model-memory <MiB>',
      env: 'MODEL_MEMORY_MEBIBYTES',
    }),
    cpuCores: setting(
      'processor time of one model, averaged over a minute',
      decimal(0.05, 1_024).default(limits.cpuCores),
      { flag: '--model-cpu <cores>', env: 'MODEL_CPU_CORES' },
    ),
    processes: setting('processes of one model', whole(8, 10_000).default(limits.processes), {
      flag: '--model-processes <count>',
      env: 'MODEL_PROCESSES',
    }),
    openFiles: setting('open files of each of its processes', whole(64, 1_048_576).default(limits.openFiles), {
      flag: '--model-open-files <count>',
      env: 'MODEL_OPEN_FILES',
    }),
    folderMib: setting('size of the folder it may write to', whole(1, 65_536).default(limits.folderMib), {
      flag: '--model-folder <MiB>',
      env: 'MODEL_FOLDER_MEBIBYTES',
    }),
  }),
  confinement: z.object({
    network: setting(
      'none: refuse to start if models cannot be isolated; default: none where possible',
      z.enum(['none', 'host']).optional(),
      { flag: '--model-network <which>', env: 'MODEL_NETWORK' },
    ),
    namespaces: setting(
      'off: models see all files, devices and processes of this user',
      z.enum(['auto', 'off']).default('auto'),
      { flag: '--model-namespaces <when>', env: 'MODEL_NAMESPACES' },
    ),
    advertiseHost: setting(
      'host at which coordinators on other machines reach this one: models listen on all addresses and are announced at it',
      z.string().trim().min(1, 'must be a host name or an address').optional(),
      { flag: '--advertise-host <host>' },
    ),
  }),
})

export type SettingValues = z.output<typeof SETTINGS>

/**
 * Calls `read` for each setting and returns the values in the groups of `SETTINGS`. A setting without a value gets no
 * key: an `undefined` would override a default when the values are merged.
 */
export function collectSettings(
  read: (setting: z.ZodType, ways: Ways) => unknown,
  group: z.ZodObject = SETTINGS,
): Record<string, unknown> {
  const collected: Record<string, unknown> = {}
  for (const [name, field] of Object.entries(group.shape) as [string, z.ZodType][]) {
    const value = field instanceof z.ZodObject ? collectSettings(read, field) : read(field, waysOf(field))
    if (value !== undefined) collected[name] = value
  }
  return collected
}

function waysOf(field: z.ZodType): Ways {
  const ways = WAYS.get(field)
  if (ways === undefined) throw new Error('this setting has no flag, variable or key')
  return ways
}
