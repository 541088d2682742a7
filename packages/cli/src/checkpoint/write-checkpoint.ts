import { writeFile } from 'node:fs/promises'
import { resolve } from 'node:path'
import { systemErrorCode } from '@crunch/local-processes'
import { CliError } from '../cli-error.ts'
import {
  exportCheckpoint,
  nearestName,
  nodePayouts,
  nodeReportContract,
  type PayoutFormat,
  payoutFormats,
} from '../engine.ts'
import { type OpenedNode, withStoredResults } from '../node-store.ts'
import type { Terminal } from '../terminal/terminal.ts'
import { withResults } from './show-checkpoint.ts'

interface ExportOptions {
  /** Default: the newest checkpoint. */
  readonly id: string | undefined
  readonly replay: boolean
  readonly out: string | undefined
  readonly acknowledgedBy: string | undefined
  /** In micro-units; only for prizes. */
  readonly totalPrize: number | undefined
}

/** Writes a whole checkpoint as JSON. If scores or truths of its period were refused, this must be acknowledged first. */
export async function writeCheckpoint(options: ExportOptions, terminal: Terminal): Promise<void> {
  refuseTotal(options.totalPrize, 'a whole checkpoint')
  const row = await withResults(terminal, options.replay, (node) => acknowledgedRow(node, options))
  const path = await writeNew(terminal, options.out ?? `${row.id}.json`, `${JSON.stringify(row, null, 2)}\n`)
  terminal.out(`${path}: ${row.id}, ${row.status}`)
}

/** Writes a file that hands a payout over to the chain. A replay is never paid by mistake: it must be asked for. */
export async function writePayout(
  options: ExportOptions & { readonly format: string },
  terminal: Terminal,
): Promise<void> {
  const { totalPrize } = options
  const format = knownFormat(options.format)
  const isPrizes = format.startsWith('prizes')
  if (!isPrizes) refuseTotal(totalPrize, format)
  if (isPrizes && totalPrize === undefined) {
    const fix = 'add it, in micro-units: --total-prize 1000000 divides one USDC'
    throw new CliError({ place: '--total-prize', cause: `${format} needs the sum of all prizes`, fix })
  }
  const { row, text } = await withStoredResults(terminal, options.replay, async (node) => {
    const row = await acknowledgedRow(node, options)
    const { store, environment, workspace } = node
    const payouts = await nodePayouts(store, environment, workspace.nodeDirectory)
    return { row, text: await payouts.file(row.id, format, totalPrize) }
  })
  const ending = format === 'prizes-ndjson' ? 'prizes.ndjson' : `${format === 'prizes-json' ? 'prizes' : format}.json`
  const path = await writeNew(terminal, options.out ?? `${row.id}.${ending}`, text)
  const empty = row.meta.emission_reason === null ? '' : `; it pays nobody (${row.meta.emission_reason})`
  terminal.out(`${path}: ${row.id}, ${row.status}${options.replay ? ', of a replay' : ''}${empty}`)
  if (row.status !== 'PENDING') terminal.err(`warning: ${row.id} is ${row.status}: a transaction has paid it already`)
}

function acknowledgedRow({ store, contract, environment }: OpenedNode, { id, acknowledgedBy }: ExportOptions) {
  return exportCheckpoint(store, nodeReportContract(contract, environment), {
    at: Date.now(),
    ...(id !== undefined && { id }),
    ...(acknowledgedBy !== undefined && { acknowledgedBy }),
  })
}

function refuseTotal(totalPrize: number | undefined, what: string): void {
  if (totalPrize === undefined) return
  const fix = 'remove it, or choose --format prizes-json or prizes-ndjson'
  throw new CliError({ place: '--total-prize', cause: `${what} has no prizes`, fix })
}

function knownFormat(format: string): PayoutFormat {
  const known = payoutFormats.find((name) => name === format)
  if (known !== undefined) return known
  const nearest = nearestName(format, payoutFormats)
  const fix = nearest === undefined ? `choose one of ${payoutFormats.join(', ')}` : `did you mean ${nearest}?`
  throw new CliError({ place: '--format', cause: `there is no format "${format}"`, fix })
}

/** Writes a file that does not exist yet, and returns its path. */
async function writeNew(terminal: Terminal, name: string, text: string): Promise<string> {
  const path = resolve(terminal.cwd, name)
  await writeFile(path, text, { flag: 'wx' }).catch((error: unknown) => {
    if (systemErrorCode(error) !== 'EEXIST') throw error
    const fix = 'name another one with --out, or remove it'
    throw new CliError({ place: path, cause: 'the file already exists', fix })
  })
  return path
}
