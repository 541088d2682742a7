import { readFileSync } from 'node:fs'
import { Command, CommanderError, InvalidArgumentError } from 'commander'
import { describeError, ReportedFailure } from './cli-error.ts'
import { addDataCommands } from './data-commands.ts'
import { addModelCommands } from './model-commands.ts'
import { parseCount, parseTime } from './parse-options.ts'
import type { Terminal } from './terminal.ts'

interface DeployFlags {
  readonly replay?: true | readonly string[]
  readonly speed?: number | 'max'
  readonly detach?: true
  readonly once?: true
  readonly resume?: true
  readonly newEra?: true
}

/**
 * Runs one `crunch` command and resolves with its exit code: 0 done, 1 it failed, 2 it was called wrongly. Whatever a command
 * needs is loaded only when it runs, so that help and version are quick.
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

function createProgram(terminal: Terminal): Command {
  const program = new Command('crunch')
    .description('Runs a prediction competition: deploy it, look at it, simulate it.')
    .version(readVersion(), '-V, --version')
    .option('--verbose', 'show the stack of every failure')
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
  addInternal(program, terminal)
  return program
}

function addDeployment(program: Command, terminal: Terminal): void {
  replayOptions(program.command('deploy'))
    .description('start the competition on this machine and keep it running until Ctrl-C')
    .option('--detach', 'give the terminal back; end it with crunch down')
    .option('--new-era', 'confirm that the contract changed: end the era of the database, and begin the next one')
    .option('--once', 'replay as fast as possible and end after the first checkpoint')
    .addHelpText('after', deployExamples)
    .action(async (flags: DeployFlags) => {
      const { deploy } = await import('./commands/deploy.ts')
      const { detach, newEra } = flags
      await deploy({ ...deployRequest(flags), detach: detach === true, newEra: newEra === true }, terminal)
    })
  program
    .command('down')
    .description('stop every process of the deployment')
    .action(async () => (await import('./commands/control.ts')).down(terminal))
  program
    .command('restart')
    .description('start one service again, or all of them')
    .argument('[service]', 'postgres, models, predict, score, report')
    .action(async (service?: string) => (await import('./commands/control.ts')).restart(service, terminal))
}

const deployExamples = `
Examples:
  crunch deploy                            live, in the foreground
  crunch deploy --replay                   the recordings of node/recordings, to watch
  crunch deploy --replay day.csv --once    as fast as possible, to the first checkpoint`

function replayOptions(command: Command): Command {
  return command
    .option('--replay [file...]', 'replay recordings instead of live data, by default those of node/recordings')
    .option('--speed <times>', 'how many times faster than real time, or max', parseSpeed)
    .option('--resume', 'go on with the last replay of the same recording')
}

function deployRequest(flags: DeployFlags) {
  return {
    replay: flags.replay === true ? [] : flags.replay,
    speed: flags.speed,
    resume: flags.resume === true,
    once: flags.once === true,
  }
}

function addOperation(program: Command, terminal: Terminal): void {
  program
    .command('status')
    .description('services, health, feeds and models of the deployment')
    .option('--json', 'for programs')
    .action(async (flags: { json?: true }) =>
      (await import('./commands/status.ts')).status({ json: flags.json === true }, terminal),
    )
  program
    .command('logs')
    .description('the logs of one service or of all, merged by time')
    .argument('[service]', 'postgres, models, predict, score, report, supervisor')
    .option('-f, --follow', 'go on with what is logged from now on')
    .option('-n, --lines <count>', 'how many lines of the past', parseCount, 200)
    .option('--json', 'for programs')
    .action(async (service: string | undefined, flags: { follow?: true; lines: number; json?: true }) => {
      const { logs } = await import('./commands/logs.ts')
      await logs({ service, follow: flags.follow === true, lines: flags.lines, json: flags.json === true }, terminal)
    })
  program
    .command('leaderboard')
    .description('the current ranks')
    .option('--json', 'for programs')
    .action(async (flags: { json?: true }) =>
      (await import('./commands/leaderboard.ts')).leaderboard({ json: flags.json === true }, terminal),
    )
}

function addExamination(program: Command, terminal: Terminal): void {
  program
    .command('check')
    .description('look at contract, settings, ports, database and models, and tell everything that is wrong')
    .option('--json', 'for programs')
    .action(async (flags: { json?: true }) =>
      (await import('./commands/check.ts')).check({ json: flags.json === true }, terminal),
    )
  program
    .command('simulate')
    .description('run the competition over recordings in this process: leaderboard, checkpoints, digest')
    .requiredOption('--recording <file...>', 'CSV or NDJSON, also .gz, or Parquet')
    .option('--models <directory>', 'one folder a model; by default the RUNNING entries of models.dev.yml')
    .option('--json', 'for programs')
    .action(async (flags: { recording: string[]; models?: string; json?: true }) => {
      const { simulate } = await import('./commands/simulate.ts')
      await simulate({ recordings: flags.recording, models: flags.models, json: flags.json === true }, terminal)
    })
}

function addBacktest(program: Command, terminal: Terminal): void {
  program
    .command('backtest')
    .description('run one model over recordings as a node would, and score it by the contract')
    .requiredOption('--model <path>', 'the folder of a model in TypeScript, JavaScript or Python, or a notebook')
    .option('--recording <file...>', 'CSV or NDJSON, also .gz, or Parquet; by default those of node/recordings')
    .option('--from <time>', 'from the records known at this time on, such as 2015-01-01', parseTime)
    .option('--to <time>', 'up to the records known before this time', parseTime)
    .option('--examples', "beside the workspace's own models, the RUNNING entries of models.dev.yml")
    .option('--json', 'for programs')
    .action(async (flags: BacktestFlags) => {
      const { backtest } = await import('./commands/backtest.ts')
      const { model, recording: recordings, from, to } = flags
      const part = { ...(from === undefined ? {} : { from }), ...(to === undefined ? {} : { to }) }
      const { examples = false, json = false } = flags
      await backtest({ model, recordings, part, examples, json }, terminal)
    })
}

interface BacktestFlags {
  readonly model: string
  readonly recording?: readonly string[]
  readonly from?: number
  readonly to?: number
  readonly examples?: true
  readonly json?: true
}

/** Commands that the command line runs itself, in processes of their own. */
function addInternal(program: Command, terminal: Terminal): void {
  replayOptions(program.command('supervise', { hidden: true })).action(async (flags: DeployFlags) =>
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
  const speed = Number(text)
  if (text.trim() !== '' && Number.isFinite(speed) && speed > 0) return speed
  throw new InvalidArgumentError('Use a number greater than 0, or max.')
}

function readVersion(): string {
  const manifest: unknown = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8'))
  if (typeof manifest === 'object' && manifest !== null && 'version' in manifest) return String(manifest.version)
  throw new Error('the package has no version')
}
