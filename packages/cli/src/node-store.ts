import { liveDatabaseDirectory } from './deploy/workspace-databases.ts'
import {
  type AnyContract,
  embeddedDatabase,
  loadNodeContract,
  openStore,
  readNodeSettings,
  type Store,
} from './engine.ts'
import { type Environment, readNodeEnvironment } from './read-environment.ts'
import type { Terminal } from './terminal/terminal.ts'
import { findWorkspace, type Workspace } from './workspace.ts'

/** A node of this machine, looked at from a command. */
export interface OpenedNode {
  readonly workspace: Workspace
  readonly contract: AnyContract
  readonly environment: Environment
  /** The database of its live data. */
  readonly store: Store
}

/**
 * Runs a command on the database of the node's live data. The embedded one is joined where the deployment runs, and started
 * for the command where it does not.
 */
export async function withNodeStore<Result>(
  terminal: Terminal,
  action: (node: OpenedNode) => Promise<Result>,
): Promise<Result> {
  const workspace = findWorkspace(terminal.cwd)
  const environment = readNodeEnvironment(workspace.nodeDirectory, terminal.env)
  const { databaseUrl } = readNodeSettings(environment)
  const contract = await loadNodeContract(workspace.contractPath, environment.values)
  const embedded =
    databaseUrl === undefined
      ? await embeddedDatabase.start({ directory: liveDatabaseDirectory(workspace) })
      : undefined
  try {
    const store = await openStore({ url: databaseUrl ?? embedded?.url ?? '' })
    try {
      return await action({ workspace, contract, environment: environment.values, store })
    } finally {
      await store.close()
    }
  } finally {
    await embedded?.stop()
  }
}
