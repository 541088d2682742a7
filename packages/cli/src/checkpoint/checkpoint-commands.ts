import type { Command } from 'commander'
import { parseMicroUnits } from '../parse-options.ts'
import type { Terminal } from '../terminal/terminal.ts'

interface ExportFlags {
  readonly acknowledgedBy?: string
  readonly format?: string
  readonly totalPrize?: number
  readonly out?: string
  readonly replay?: true
}

const replayText = 'checkpoints of the last replay (default: of the running deployment, else of live data)'

/** `crunch checkpoint` and its subcommands. */
export function addCheckpointCommands(program: Command, terminal: Terminal): void {
  const checkpoint = program
    .command('checkpoint')
    .description('list, show, export and confirm payouts, also while the node is down')
    .addHelpText('after', examples)
  checkpoint
    .command('list')
    .description('list checkpoints, newest first')
    .option('--replay', replayText)
    .option('--json', 'print JSON')
    .action(async ({ replay = false, json = false }: { replay?: boolean; json?: boolean }) =>
      (await import('./show-checkpoint.ts')).listCheckpoints({ replay, json }, terminal),
    )
  checkpoint
    .command('show', { isDefault: true })
    .description(
      'show a payout: shares, wallets, status, and the truths and scores of its period that the contract refused',
    )
    .argument('[id]', 'id of the checkpoint (default: the newest)')
    .option('--replay', replayText)
    .option('--json', 'print JSON')
    .action(async (id: string | undefined, { replay = false, json = false }: { replay?: boolean; json?: boolean }) =>
      (await import('./show-checkpoint.ts')).showCheckpoint({ id, replay, json }, terminal),
    )
  addExport(checkpoint, terminal)
  checkpoint
    .command('confirm')
    .description('store the transaction that pays a checkpoint: PENDING → SUBMITTED; the same again changes nothing')
    .argument('<transaction>', 'id of the transaction: its signature in base58')
    .argument('[id]', 'id of the checkpoint (default: the only one that is PENDING)')
    .action(async (transaction: string, id: string | undefined) =>
      (await import('./move-checkpoint.ts')).confirmCheckpoint({ transaction, id }, terminal),
    )
  checkpoint
    .command('advance')
    .description('move a confirmed checkpoint to its next status: SUBMITTED → CLAIMABLE → PAID')
    .argument('<status>', 'CLAIMABLE or PAID')
    .argument('[id]', 'id of the checkpoint (default: the only one with the status before)')
    .action(async (status: string, id: string | undefined) =>
      (await import('./move-checkpoint.ts')).advanceCheckpoint({ status, id }, terminal),
    )
}

function addExport(checkpoint: Command, terminal: Terminal): void {
  checkpoint
    .command('export')
    .description('write a payout into a file; if scores or truths of its period failed, --acknowledged-by is required')
    .argument('[id]', 'id of the checkpoint (default: the newest)')
    .option('--acknowledged-by <name>', 'accept that scores or truths failed; your name and the time are stored')
    .option(
      '--format <format>',
      'emission, cli (percent by wallet), prizes-ndjson (milliseconds, tokens) or prizes-json (seconds, micro-units); every winner needs a wallet (default: the whole checkpoint as JSON)',
    )
    .option('--total-prize <count>', 'sum of all prizes in micro-units: 1000000 is one USDC', parseMicroUnits)
    .option('--out <file>', 'the output file (default: ID.json, or ID.FORMAT.json or .ndjson, in the current folder)')
    .option('--replay', `${replayText}; with --format only if given`)
    .action(async (id: string | undefined, flags: ExportFlags) => {
      const { replay = false, out, acknowledgedBy, format, totalPrize } = flags
      const { writeCheckpoint, writePayout } = await import('./write-checkpoint.ts')
      if (format === undefined) await writeCheckpoint({ id, replay, out, acknowledgedBy, totalPrize }, terminal)
      else await writePayout({ id, replay, out, acknowledgedBy, format, totalPrize }, terminal)
    })
}

const examples = `
Examples:
  crunch checkpoint                                                    show the newest payout
  crunch checkpoint export --format cli                                percent by wallet
  crunch checkpoint export --format prizes-json --total-prize 5000000000   5,000 USDC, in micro-units
  crunch checkpoint confirm 5x…                                        after the transaction has paid it
  crunch checkpoint advance CLAIMABLE`
