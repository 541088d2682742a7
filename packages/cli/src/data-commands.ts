import type { Command } from 'commander'
import { readTimeFlags, type TimeFlags } from './parse-options.ts'
import type { Terminal } from './terminal/terminal.ts'

interface BackfillFlags extends TimeFlags {
  readonly source?: string
  readonly subject?: string
  readonly kind?: string
  readonly granularity?: string
  readonly target: string
  readonly directory?: string
}

interface RecordFlags extends TimeFlags {
  readonly out?: string
  readonly follow?: true
}

interface ExportFlags extends TimeFlags {
  readonly format?: string
  readonly out?: string
  readonly replay?: true
}

/** Commands that import and export data: `crunch backfill`, `record` and `export`. */
export function addDataCommands(program: Command, terminal: Terminal): void {
  const isJson = (command: Command) => command.optsWithGlobals<{ json?: true }>().json === true
  const backfill = program
    .command('backfill')
    .description('fetch the history of a series from its source into the database or Parquet files')
    .option(
      '--source <name>',
      'source of the series (this and the next three default to the only match in the contract)',
    )
    .option('--subject <name>', 'subject of the series')
    .option('--kind <kind>', 'kind of the records, e.g. candle')
    .option('--granularity <duration>', 'granularity of the series, e.g. 1m')
    .option('--from <time>', 'time of the first event, e.g. 2026-01-01')
    .option('--to <time>', 'stop before events at this time (default: now)')
    .option('--target <target>', 'tables (the database) or parquet (one file per day)', 'tables')
    .option('--directory <directory>', 'directory of the Parquet files (default: node/data/backfill)')
    .option('--json', 'print JSON')
    .addHelpText('after', examples)
    .action(async ({ from, to, ...flags }: BackfillFlags, command: Command) => {
      const { backfill: run } = await import('./commands/backfill.ts')
      const range = await readTimeFlags({ from, to }, command)
      await run({ ...flags, ...range, json: isJson(command) }, terminal)
    })
  backfill
    .command('list')
    .description('list backfills with their progress')
    .option('--json', 'print JSON')
    .action(async (_flags: object, command: Command) =>
      (await import('./commands/backfill.ts')).listBackfills({ json: isJson(command) }, terminal),
    )
  backfill
    .command('resume')
    .description('resume an interrupted, failed or cancelled backfill')
    .argument('<id>', 'id of the backfill, or a unique prefix of it')
    .option('--json', 'print JSON')
    .action(async (id: string, _flags: object, command: Command) =>
      (await import('./commands/backfill.ts')).resumeBackfill({ id, json: isJson(command) }, terminal),
    )
  backfill
    .command('cancel')
    .description('cancel a backfill after its current page; written records stay')
    .argument('<id>', 'id of the backfill, or a unique prefix of it')
    .action(async (id: string) => (await import('./commands/backfill.ts')).cancelBackfill({ id }, terminal))
  program
    .command('record')
    .description('export the feed records of the node as recordings for simulate and deploy --replay')
    .option('--out <folder>', 'directory of the recordings (default: node/recordings)')
    .option('--from <time>', 'skip records known before this time, e.g. 2026-01-01')
    .option('--to <time>', 'stop before records known at or after this time')
    .option('--follow', 'keep writing new records until Ctrl-C')
    .action(async ({ from, to, ...flags }: RecordFlags, command: Command) => {
      const { record } = await import('./commands/record.ts')
      const range = await readTimeFlags({ from, to }, command)
      await record({ ...flags, ...range, follow: flags.follow === true }, terminal)
    })
  addExport(program, terminal)
}

function addExport(program: Command, terminal: Terminal): void {
  program
    .command('export')
    .description('write stored results into a file, also while the node is down')
    .argument('<kind>', 'predictions, scores, snapshots, or leaderboard (only the newest one without --from and --to)')
    .option('--format <format>', 'csv, parquet or ndjson (default: by the ending of --out, else csv)')
    .option(
      '--out <file>',
      'the output file, gzipped if its name ends in .gz (default: KIND.FORMAT in the current folder)',
    )
    .option(
      '--from <time>',
      'skip predictions made before this time, and snapshots and leaderboards of periods that begin before it',
    )
    .option(
      '--to <time>',
      'skip predictions made at or after this time, and snapshots and leaderboards of periods that end after it',
    )
    .option('--replay', 'results of the last replay (default: of the running deployment, else of live data)')
    .action(async (kind: string, { from, to, ...flags }: ExportFlags, command: Command) => {
      const { exportResults } = await import('./commands/export.ts')
      const range = await readTimeFlags({ from, to }, command)
      await exportResults({ kind, ...flags, ...range, replay: flags.replay === true }, terminal)
    })
}

const examples = `
Examples:
  crunch backfill --from 2026-01-01                      the only series of the contract, until now, into the database
  crunch backfill --subject BTCUSDT --from 2021-01-01 --target parquet
  crunch backfill resume 3f2a                            resume after Ctrl-C, a crash or a failure`
