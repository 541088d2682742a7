import { readFileSync } from 'node:fs'
import { Argument, Command, CommanderError, InvalidArgumentError } from 'commander'
import { addCheckpointCommands } from './checkpoint/checkpoint-commands.ts'
import { describeError, ReportedFailure } from './cli-error.ts'
import { addDataCommands } from './data-commands.ts'
import { addKeyCommands } from './keys/key-commands.ts'
import { addModelCommands } from './model-commands.ts'
import { parseCount, readTimeFlags, type TimeFlags } from './parse-options.ts'
import type { Terminal } from './terminal/terminal.ts'

interface DeployFlags {
  readonly replay?: true | readonly string[]
  readonly speed?: number | 'max'
  readonly detach?: true
  readonly once?: true
  readonly resume?: true
  readonly newEra?: true
  readonly dev?: true
}

/**
 * Runs one `crunch` command and resolves with its exit code: 0 success, 1 failure, 2 wrong usage. The modules of a command are
 * loaded only when it runs, so that help and version are fast.
 */
export async function runCli(argv: readonly string[], terminal: Terminal): Promise<number> {
  const program = createProgram(terminal)
  try {
    await program.parseAsync([...argv], { from: 'user' })
    return 0
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : 2
    if (!(error instanceof ReportedFailure)) {
      terminal.err(`error: ${describeError(error, argv.includes('--verbose'))}`)
    }
    return 1
  }
}

/** Builds the command tree with its help texts. */
export function createProgram(terminal: Terminal): Command {
  const program = new Command('crunch')
    .description('Deploy, monitor and simulate a prediction competition.')
    .version(readVersion(), '-V, --version')
    .option('--verbose', 'print the stack trace of every error')
    .showHelpAfterError('Run crunch --help, or crunch COMMAND --help.')
    .configureOutput({
      writeOut: (text) => terminal.out(text.trimEnd()),
      writeErr: (text) => terminal.err(text.trimEnd()),
    })
    .exitOverride()
  addDeployment(program, terminal)
  addOperation(program, terminal)
  addExamination(program, terminal)
  addBacktest(program, terminal)
  addModelCommands(program, terminal)
  addDataCommands(program, terminal)
  addCheckpointCommands(program, terminal)
  addKeyCommands(program, terminal)
  addInternal(program, terminal)
  return program
}

function addDeployment(program: Command, terminal: Terminal): void {
  replayOptions(program.command('deploy'))
    .description('run the competition on this machine until Ctrl-C')
    .addArgument(
      new Argument('[part]', 'dev: only the database and the models, for workers that you start from an IDE').choices([
        'dev',
      ]),
    )
    .option('--detach', 'run in the background; stop it with crunch down')
    .option('--new-era', 'confirm a changed contract: end the current era of the database and begin a new one')
    .option('--once', 'replay at full speed and exit after the first checkpoint')
    .addHelpText('after', deployExamples)
    .action(async (part: 'dev' | undefined, flags: DeployFlags) => {
      const { deploy } = await import('./commands/deploy.ts')
      const { detach, newEra } = flags
      await deploy(
        {
          ...deployRequest({ ...flags, ...(part === 'dev' && { dev: true }) }),
          detach: detach === true,
          newEra: newEra === true,
        },
        terminal,
      )
    })
  program
    .command('down')
    .description('stop all processes of the deployment')
    .action(async () => (await import('./commands/control.ts')).down(terminal))
  program
    .command('restart')
    .description('restart one service, or all services')
    .argument('[service]', 'postgres, models, predict, score, report')
    .action(async (service?: string) => (await import('./commands/control.ts')).restart(service, terminal))
}

const deployExamples = `
Examples:
  crunch deploy                            live data, in the foreground
  crunch deploy dev                        only the database and the models; start the workers yourself
  crunch deploy --replay                   replay the recordings in node/recordings
  crunch deploy --replay day.csv --once    replay at full speed, exit after the first checkpoint`

function replayOptions(command: Command): Command {
  return command
    .option('--replay [file...]', 'replay recordings instead of live data (default: the files in node/recordings)')
    .option('--speed <times>', 'replay speed: a multiple of real time, or max', parseSpeed)
    .option('--resume', 'resume the last replay of the same recordings')
}

function deployRequest(flags: DeployFlags) {
  return {
    replay: flags.replay === true ? [] : flags.replay,
    speed: flags.speed,
    resume: flags.resume === true,
    once: flags.once === true,
    dev: flags.dev === true,
  }
}

function addOperation(program: Command, terminal: Terminal): void {
  program
    .command('status')
    .description('show services, health, feeds and models')
    .option('--json', 'print JSON')
    .action(async (flags: { json?: true }) =>
      (await import('./commands/status.ts')).status({ json: flags.json === true }, terminal),
    )
  program
    .command('open')
    .description('open the page of the running competition in a browser')
    .option('--print', 'only print its address')
    .action(async (flags: { print?: true }) =>
      (await import('./commands/open.ts')).openPage({ print: flags.print === true }, terminal),
    )
  program
    .command('logs')
    .description('show the logs of services, or of all services, merged by time')
    .argument('[service...]', 'postgres, models, predict, score, report, supervisor')
    .option('-f, --follow', 'keep printing new lines')
    .option('-n, --lines <count>', 'number of past lines to print', parseCount, 200)
    .option('--json', 'print JSON')
    .action(async (services: string[], flags: { follow?: true; lines: number; json?: true }) => {
      const { logs } = await import('./commands/logs.ts')
      await logs({ services, follow: flags.follow === true, lines: flags.lines, json: flags.json === true }, terminal)
    })
  program
    .command('leaderboard')
    .description('show the newest ranks, also while the node is down')
    .option('--replay', 'ranks of the last replay (default: of the running deployment, else of live data)')
    .option('--json', 'print JSON')
    .action(async ({ json = false, replay = false }: { json?: boolean; replay?: boolean }) =>
      (await import('./commands/leaderboard.ts')).leaderboard({ json, replay }, terminal),
    )
}

function addExamination(program: Command, terminal: Terminal): void {
  program
    .command('check')
    .description('check contract, settings, ports, database and models; report every problem with its fix')
    .option('--json', 'print JSON')
    .action(async (flags: { json?: true }) =>
      (await import('./commands/check.ts')).check({ json: flags.json === true }, terminal),
    )
  program
    .command('simulate')
    .description('run the competition on recordings in this process; print leaderboard, checkpoints and a digest')
    .requiredOption('--recording <file...>', 'CSV, NDJSON (optionally compressed) or Parquet files')
    .option(
      '--models <directory>',
      'a directory with one folder per model (default: the RUNNING entries of models.dev.yml)',
    )
    .option('--json', 'print JSON')
    .action(async (flags: { recording: string[]; models?: string; json?: true }) => {
      const { simulate } = await import('./commands/simulate.ts')
      await simulate({ recordings: flags.recording, models: flags.models, json: flags.json === true }, terminal)
    })
}

function addBacktest(program: Command, terminal: Terminal): void {
  program
    .command('backtest')
    .description('run one model on recordings as the node would, and score it by the contract')
    .requiredOption('--model <path>', 'a TypeScript, JavaScript or Python model folder, or a notebook')
    .option(
      '--recording <file...>',
      'CSV, NDJSON (optionally compressed) or Parquet files (default: the files in node/recordings)',
    )
    .option('--from <time>', 'skip records known before this time, e.g. 2015-01-01')
    .option('--to <time>', 'stop before records known at or after this time')
    .option('--examples', "compare with the workspace's models: the RUNNING entries of models.dev.yml")
    .option('--json', 'print JSON')
    .action(async (flags: BacktestFlags, command: Command) => {
      const { backtest } = await import('./commands/backtest.ts')
      const { model, recording: recordings } = flags
      const part = await readTimeFlags(flags, command)
      const { examples = false, json = false } = flags
      await backtest({ model, recordings, part, examples, json }, terminal)
    })
}

interface BacktestFlags extends TimeFlags {
  readonly model: string
  readonly recording?: readonly string[]
  readonly examples?: true
  readonly json?: true
}

/** Hidden commands that the CLI starts as child processes. */
function addInternal(program: Command, terminal: Terminal): void {
  replayOptions(program.command('supervise', { hidden: true }))
    .option('--dev')
    .action(async (flags: DeployFlags) =>
      (await import('./commands/supervise.ts')).supervise(deployRequest(flags), terminal),
    )
  program
    .command('embedded-postgres', { hidden: true })
    .requiredOption('--directory <directory>')
    .option('--disposable')
    .action(async ({ directory, disposable = false }: { directory: string; disposable?: boolean }) =>
      (await import('./commands/embedded-postgres.ts')).embeddedPostgres({ directory, disposable }, terminal),
    )
}

function parseSpeed(text: string): number | 'max' {
  if (text === 'max') return text
  const speed = /^\d+(\.\d+)?$/.test(text) ? Number(text) : 0
  if (speed > 0 && Number.isFinite(speed)) return speed
  throw new InvalidArgumentError('Use a number greater than 0 such as 60 or 0.5, or max.')
}

function readVersion(): string {
  const manifest: unknown = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8'))
  if (typeof manifest === 'object' && manifest !== null && 'version' in manifest) return String(manifest.version)
  throw new Error('the package has no version')
}
