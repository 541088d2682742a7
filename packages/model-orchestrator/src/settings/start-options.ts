import { type Command, InvalidArgumentError, Option } from 'commander'
import { DEFAULT_MODEL_LIMITS } from '../limit/model-limits.ts'

/** The flags of `start`, as they were given or by their defaults. */
export interface StartOptions {
  readonly config?: string
  readonly models?: string
  readonly submissions?: string
  readonly crunchId: string
  readonly baseClassName: string
  readonly host: string
  readonly port: number
  readonly httpHost: string
  readonly httpPort: number | 'off'
  readonly logs?: string
  readonly logLevel: string
  readonly startTimeout: number
  readonly stopTimeout: number
  readonly poll: number
  readonly restartDelay: number
  readonly restartMaxDelay: number
  readonly stableAfter: number
  readonly maxFailures: number
  readonly python: string
  readonly pythonPath: readonly string[]
  readonly environments?: string
  readonly modelMemory: number
  readonly modelCpu: number
  readonly modelProcesses: number
  readonly modelOpenFiles: number
  readonly modelFolder: number
  readonly modelAllowBuilds: 'true' | 'false'
  readonly modelNetwork?: 'none' | 'host'
  readonly modelNamespaces: 'auto' | 'off'
}

/** Declares `start` with its flags; what one of them has to be is checked when it is read. */
export function addStartCommand(program: Command): Command {
  const start = program
    .command('start')
    .description('runs every RUNNING entry of the models file until SIGTERM or SIGINT')
    .option('--config <file>', 'orchestrator.dev.yml; flags and the environment win over it')
    .option('--models <file>', 'models.dev.yml: which models to run')
    .option('--submissions <directory>', 'folder with one subfolder per submission, named by its id')
    .addOption(new Option('--crunch-id <id>', 'the competition').env('CRUNCH_ID').default('starter-challenge'))
    .addOption(
      new Option('--base-class-name <name>', 'base class of the participants')
        .env('MODEL_BASE_CLASSNAME')
        .default('tracker.TrackerBase'),
    )
    .option('--host <address>', 'where coordinators connect', '127.0.0.1')
    .addOption(
      new Option('--port <port>', 'discovery port, 0 for a free one')
        .env('MODEL_RUNNER_NODE_PORT')
        .default(9091)
        .argParser(parseWithin(0, 65_535)),
    )
    .addOption(
      new Option(
        '--http-host <address>',
        'where the HTTP API listens; it needs the key in .orchestrator-key beside the logs, or API_KEY',
      )
        .env('MODEL_ORCHESTRATOR_HTTP_HOST')
        .default('127.0.0.1'),
    )
    .addOption(
      new Option('--http-port <port>', 'port of the HTTP API, 0 for a free one, "off" for none')
        .env('MODEL_ORCHESTRATOR_HTTP_PORT')
        .default(8001)
        .argParser(parsePortOrOff),
    )
    .option('--logs <directory>', 'logs of the models; without it their output is dropped')
    .addOption(
      new Option('--log-level <level>').choices(['debug', 'info', 'warn', 'error']).env('LOG_LEVEL').default('info'),
    )
  return addModelFlags(addPythonFlags(addTimingFlags(start)))
}

function addTimingFlags(start: Command): Command {
  return start
    .option(
      '--start-timeout <ms>',
      'limit from the start of a process until it serves, without its waiting for a processor',
      parseWithin(100, 600_000),
      30_000,
    )
    .option('--stop-timeout <ms>', 'from SIGTERM to SIGKILL', parseWithin(0, 3_000), 2_000)
    .option('--poll <ms>', 'how often the models file is read', parseWithin(50, 60_000), 1_000)
    .option(
      '--restart-delay <ms>',
      'wait before the first restart, doubled each time',
      parseWithin(1, 3_600_000),
      1_000,
    )
    .option('--restart-max-delay <ms>', 'longest wait before a restart', parseWithin(1, 3_600_000), 60_000)
    .option('--stable-after <ms>', 'serving this long resets the failure count', parseWithin(1, 3_600_000), 60_000)
    .option('--max-failures <count>', 'failures in a row until quarantine', parseWithin(1, 1_000), 5)
}

function addPythonFlags(start: Command): Command {
  return start
    .addOption(
      new Option('--python <program>', 'Python 3.11 or newer, for Python submissions and notebooks')
        .env('MODEL_ORCHESTRATOR_PYTHON')
        .default('python3'),
    )
    .option('--python-path <directory>', 'where Python models find the base class; may be repeated', collect, [])
    .option('--environments <directory>', 'where Python environments are created (default: beside the submissions)')
}

function addModelFlags(start: Command): Command {
  const { memoryMib, cpuCores, processes, openFiles, folderMib } = DEFAULT_MODEL_LIMITS
  return start
    .addOption(
      new Option('--model-memory <MiB>', 'resident memory of one model')
        .env('MODEL_MEMORY_MEBIBYTES')
        .default(memoryMib)
        .argParser(parseWithin(128, 1_048_576)),
    )
    .addOption(
      new Option('--model-cpu <cores>', 'processor time of one model, averaged over a minute')
        .env('MODEL_CPU_CORES')
        .default(cpuCores)
        .argParser(parseCores),
    )
    .addOption(
      new Option('--model-processes <count>', 'processes of one model')
        .env('MODEL_PROCESSES')
        .default(processes)
        .argParser(parseWithin(8, 10_000)),
    )
    .addOption(
      new Option('--model-open-files <count>', 'open files of each of its processes')
        .env('MODEL_OPEN_FILES')
        .default(openFiles)
        .argParser(parseWithin(64, 1_048_576)),
    )
    .addOption(
      new Option('--model-folder <MiB>', 'size of the folder it may write to')
        .env('MODEL_FOLDER_MEBIBYTES')
        .default(folderMib)
        .argParser(parseWithin(1, 65_536)),
    )
    .addOption(
      new Option('--model-allow-builds <whether>', 'true: packages without a wheel are built, confined as models are')
        .choices(['true', 'false'])
        .env('MODEL_ALLOW_BUILDS')
        .default('false'),
    )
    .addOption(
      new Option(
        '--model-network <which>',
        'none: refuse to start if models cannot be isolated; default: none where possible',
      )
        .choices(['none', 'host'])
        .env('MODEL_NETWORK'),
    )
    .addOption(
      new Option('--model-namespaces <when>', 'off: models see all files, devices and processes of this user')
        .choices(['auto', 'off'])
        .env('MODEL_NAMESPACES')
        .default('auto'),
    )
}

function collect(value: string, previous: readonly string[]): readonly string[] {
  return [...previous, value]
}

function parseWithin(lowest: number, highest: number): (text: string) => number {
  return (text) => {
    const value = Number(text)
    if (/^\d+$/.test(text) && value >= lowest && value <= highest) return value
    throw new InvalidArgumentError(`must be a whole number from ${lowest} to ${highest}`)
  }
}

function parseCores(text: string): number {
  const value = Number(text)
  if (/^\d+(\.\d+)?$/.test(text) && value >= 0.05 && value <= 1_024) return value
  throw new InvalidArgumentError('must be a number from 0.05 to 1024')
}

function parsePortOrOff(text: string): number | 'off' {
  return text === 'off' ? 'off' : parseWithin(0, 65_535)(text)
}
