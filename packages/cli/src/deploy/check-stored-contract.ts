import { existsSync } from 'node:fs'
import { join } from 'node:path'
import type { CliProblem } from '../cli-error.ts'
import { embeddedDatabase } from '../embedded-database.ts'
import { type AnyContract, compareStoredContract } from '../engine.ts'
import type { NodeSettings } from '../node-settings.ts'
import type { Workspace } from '../workspace.ts'
import { liveDatabaseDirectory } from './workspace-databases.ts'

export interface StoredContractReport {
  readonly findings: readonly CliProblem[]
  readonly notes: readonly string[]
}

/**
 * Compares the contract with the one stored in the live database. Writes nothing. If the embedded server is not running and has
 * data, it is started for this check.
 */
export async function checkStoredContract(
  workspace: Workspace,
  { databaseUrl, crunchId, organizerId }: Pick<NodeSettings, 'databaseUrl' | 'crunchId' | 'organizerId'>,
  contract: AnyContract,
): Promise<StoredContractReport> {
  const compared = await withDatabaseUrl(workspace, databaseUrl, (url) =>
    compareStoredContract(url, { contract, crunchId, organizerId }),
  )
  if (compared === undefined || compared.kind === 'new') return { findings: [], notes: [] }
  if (compared.kind === 'older') {
    const note =
      'The database is of an earlier version of the engine: the next start migrates it, and compares the contract then.'
    return { findings: [], notes: [note] }
  }
  const findings = compared.findings.map(({ path, cause, fix }) => ({
    place: `${workspace.contractPath} (${path})`,
    cause,
    fix,
  }))
  return { findings, notes: [] }
}

/** Undefined if there is no database yet. */
async function withDatabaseUrl<Result>(
  workspace: Workspace,
  databaseUrl: string | undefined,
  action: (url: string) => Promise<Result>,
): Promise<Result | undefined> {
  if (databaseUrl !== undefined) return action(databaseUrl)
  const directory = liveDatabaseDirectory(workspace)
  if (!existsSync(join(directory, 'data'))) return undefined
  const server = await embeddedDatabase.start({ directory })
  try {
    return await action(server.url)
  } finally {
    await server.stop()
  }
}
