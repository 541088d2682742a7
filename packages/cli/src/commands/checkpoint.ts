import { writeFile } from 'node:fs/promises'
import { resolve } from 'node:path'
import { systemErrorCode } from '@crunch/local-processes'
import { CliError } from '../cli-error.ts'
import { exportCheckpoint, nodeReportContract, storedCheckpoint } from '../engine.ts'
import { type OpenedNode, withStoredResults } from '../node-store.ts'
import { replaysNow } from '../report-api/open-report-client.ts'
import { formatCheckpoint } from '../tables.ts'
import type { Terminal } from '../terminal/terminal.ts'
import { findWorkspace } from '../workspace.ts'

interface CheckpointOptions {
  /** Default: the newest checkpoint. */
  readonly id: string | undefined
  readonly replay: boolean
}

/** Shows a payout, and the truths and scores of its period that the contract refused. */
export async function showCheckpoint(
  { id, replay, json }: CheckpointOptions & { readonly json: boolean },
  terminal: Terminal,
): Promise<void> {
  const row = await withResults(terminal, replay, ({ store, ...node }) => storedCheckpoint(store, contractOf(node), id))
  terminal.out(json ? JSON.stringify(row) : formatCheckpoint(row))
}

/** Writes a payout as JSON. If scores or truths of its period were refused, this must be acknowledged first. */
export async function writeCheckpoint(
  options: CheckpointOptions & { readonly out: string | undefined; readonly acknowledgedBy: string | undefined },
  terminal: Terminal,
): Promise<void> {
  const { id, replay, out, acknowledgedBy } = options
  const asked = {
    at: Date.now(),
    ...(id !== undefined && { id }),
    ...(acknowledgedBy !== undefined && { acknowledgedBy }),
  }
  const row = await withResults(terminal, replay, ({ store, ...node }) =>
    exportCheckpoint(store, contractOf(node), asked),
  )
  const path = resolve(terminal.cwd, out ?? `${row.id}.json`)
  await writeFile(path, `${JSON.stringify(row, null, 2)}\n`, { flag: 'wx' }).catch((error: unknown) => {
    if (systemErrorCode(error) !== 'EEXIST') throw error
    const fix = 'name another one with --out, or remove it'
    throw new CliError({ place: path, cause: 'the file already exists', fix })
  })
  terminal.out(`${path}: ${row.id}, ${row.status}`)
}

async function withResults<Result>(
  terminal: Terminal,
  replay: boolean,
  action: (node: OpenedNode) => Promise<Result>,
): Promise<Result> {
  return withStoredResults(terminal, replay || (await replaysNow(findWorkspace(terminal.cwd))), action)
}

function contractOf({ contract, environment }: Pick<OpenedNode, 'contract' | 'environment'>) {
  return nodeReportContract(contract, environment)
}
