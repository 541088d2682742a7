import { existsSync } from 'node:fs'
import { resolve } from 'node:path'
import { count } from '../backfill/format-backfill.ts'
import { CliError, ReportedFailure } from '../cli-error.ts'
import {
  type ExportFormat,
  type ExportKind,
  exportFormats,
  exportKinds,
  exportTable,
  nodeReportContract,
  writeTable,
} from '../engine.ts'
import { withStoredResults } from '../node-store.ts'
import { replaysNow } from '../report-api/open-report-client.ts'
import type { Terminal } from '../terminal/terminal.ts'
import { findWorkspace } from '../workspace.ts'

export interface ExportOptions {
  readonly kind: string
  /** Default: by the ending of the file's name, else CSV. */
  readonly format?: string
  /** Default: `KIND.FORMAT` in the current folder. */
  readonly out?: string
  readonly from?: number
  readonly to?: number
  readonly replay: boolean
}

/** Exports stored predictions (with answers and truths), scores, snapshots or leaderboards to a file. */
export async function exportResults(options: ExportOptions, terminal: Terminal): Promise<void> {
  const { from = Number.NEGATIVE_INFINITY, to = Number.POSITIVE_INFINITY } = options
  const kind = kindOf(options.kind)
  const format = formatOf(options)
  if (from >= to) throw wrongCall('--from is not before --to', 'swap them')
  const path = resolve(terminal.cwd, options.out ?? `${kind}.${format}`)
  if (existsSync(path)) {
    throw new CliError({
      place: path,
      cause: 'the file already exists',
      fix: 'name another one with --out, or remove it',
    })
  }
  const replay = options.replay || (await replaysNow(findWorkspace(terminal.cwd)))
  await withStoredResults(terminal, replay, async ({ store, contract, environment }) => {
    const context = { store, contract: nodeReportContract(contract, environment), range: { from, to } }
    const rows = await writeTable(path, await exportTable(kind, context), format, terminal.signal).catch(
      (error: unknown) => {
        if (!terminal.signal.aborted) throw error
        throw new ReportedFailure('ended by the operator', { cause: error })
      },
    )
    terminal.out(`${path}: ${count(rows)} rows`)
    if (rows === 0) terminal.err(`nothing is stored for this time range; see the progress with: crunch status`)
  })
}

function kindOf(text: string): ExportKind {
  const kind = exportKinds.find((it) => it === text)
  if (kind !== undefined) return kind
  throw wrongCall(`there is no export of ${JSON.stringify(text)}`, `choose one of ${exportKinds.join(', ')}`)
}

function formatOf({ format, out }: ExportOptions): ExportFormat {
  const ending = out?.replace(/\.gz$/, '').split('.').at(-1)
  const wanted = format ?? (exportFormats.some((it) => it === ending) ? ending : 'csv')
  const known = exportFormats.find((it) => it === wanted)
  if (known === undefined) {
    throw wrongCall(`there is no format ${JSON.stringify(wanted)}`, `choose one of ${exportFormats.join(', ')}`)
  }
  if (known === 'parquet' && out?.endsWith('.gz') === true) {
    throw wrongCall('Parquet is compressed by itself', 'name a file that ends in .parquet')
  }
  return known
}

function wrongCall(cause: string, fix: string): CliError {
  return new CliError({ place: 'crunch export', cause, fix })
}
