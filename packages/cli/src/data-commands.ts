import type { Command } from 'commander'
import { parseTime } from './parse-options.ts'
import type { Terminal } from './terminal.ts'

interface BackfillFlags {
  readonly source?: string
  readonly subject?: string
  readonly kind?: string
  readonly granularity?: string
  readonly from?: number
  readonly to?: number
  readonly target: string
  readonly directory?: string
}

interface RecordFlags {
  readonly out?: string
  readonly from?: number
  readonly to?: number
  readonly follow?: true
}

/** Commands that bring data in and write it out: `crunch backfill` and `crunch record`. */
export function addDataCommands(program: Command, terminal: Terminal): void {
  const isJson = (command: Command) => command.optsWithGlobals<{ json?: true }>().json === true
  const backfill = program
    .command('backfill')
    .description('fetch the past of a series from its source, into the tables or into Parquet files')
    .option('--source <name>', "by default, as the next three, the contract's where it leaves no choice")
    .option('--subject <name>')
    .option('--kind <kind>')
    .option('--granularity <duration>', 'such as 1m')
    .option('--from <time>', 'the first event, such as 2026-01-01', parseTime)
    .option('--to <time>', 'up to the events before this time, by default now', parseTime)
    .option('--target <target>', 'tables, or parquet: one file a day', 'tables')
    .option('--directory <directory>', 'of the Parquet files, by default node/data/backfill')
    .option('--json', 'for programs')
    .addHelpText('after', examples)
    .action(async (flags: BackfillFlags, command: Command) => {
      const { backfill: run } = await import('./commands/backfill.ts')
      await run({ ...flags, json: isJson(command) }, terminal)
    })
  backfill
    .command('list')
    .description('every backfill with how far it has come')
    .option('--json', 'for programs')
    .action(async (_flags: object, command: Command) =>
      (await import('./commands/backfill.ts')).listBackfills({ json: isJson(command) }, terminal),
    )
  backfill
    .command('resume')
    .description('go on with a backfill that was interrupted, failed or was cancelled')
    .argument('<id>', 'or its beginning')
    .option('--json', 'for programs')
    .action(async (id: string, _flags: object, command: Command) =>
      (await import('./commands/backfill.ts')).resumeBackfill({ id, json: isJson(command) }, terminal),
    )
  backfill
    .command('cancel')
    .description('end a backfill within a page, wherever it runs; what is written stays')
    .argument('<id>', 'or its beginning')
    .action(async (id: string) => (await import('./commands/backfill.ts')).cancelBackfill({ id }, terminal))
  program
    .command('record')
    .description("write what the node's feeds received as recordings, for simulate and --replay")
    .option('--out <folder>', 'by default node/recordings')
    .option('--from <time>', 'from the records known at this time on, such as 2026-01-01', parseTime)
    .option('--to <time>', 'up to the records known before this time', parseTime)
    .option('--follow', 'go on with what is received from now on, until Ctrl-C')
    .action(async (flags: RecordFlags) => {
      const { record } = await import('./commands/record.ts')
      await record({ ...flags, follow: flags.follow === true }, terminal)
    })
}

const examples = `
Examples:
  crunch backfill --from 2026-01-01                      the contract's only series, up to now, into the tables
  crunch backfill --subject BTCUSDT --from 2021-01-01 --target parquet
  crunch backfill resume 3f2a                            after Ctrl-C, a crash or a failure`
