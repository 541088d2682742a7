import { existsSync } from 'node:fs'
import { ExpectedError, isExpectedError } from '@crunch/local-processes/errors'
import { CliError } from './cli-error.ts'
import { liveDatabaseDirectory, replayDatabaseDirectory } from './deploy/workspace-databases.ts'
import { embeddedDatabase } from './embedded-database.ts'
import { type AnyContract, loadNodeContract, openStore, readNodeSettings, type Store } from './engine.ts'
import { type Environment, readNodeEnvironment } from './read-environment.ts'
import type { Terminal } from './terminal/terminal.ts'
import { findWorkspace, type Workspace } from './workspace.ts'

/** A node of this machine, opened by a command. */
export interface OpenedNode {
  readonly workspace: Workspace
  readonly contract: AnyContract
  readonly environment: Environment
  /** The database of its live data. */
  readonly store: Store
}

/**
 * Runs a command on the live database. The embedded server is started for the command if the deployment does not run.
 */
export async function withNodeStore<Result>(
  terminal: Terminal,
  action: (node: OpenedNode) => Promise<Result>,
): Promise<Result> {
  return openNode(terminal, liveDatabaseDirectory, action)
}

/**
 * As {@link withNodeStore}, for a command that only reads. With `replay`, uses the database of the last replay. Never creates a
 * database.
 */
export async function withStoredResults<Result>(
  terminal: Terminal,
  replay: boolean,
  action: (node: OpenedNode) => Promise<Result>,
): Promise<Result> {
  return openNode(terminal, (workspace) => storedDatabaseDirectory(workspace, replay), action, replay)
}

function storedDatabaseDirectory(workspace: Workspace, replay: boolean): string {
  const [live, replayed] = [liveDatabaseDirectory(workspace), replayDatabaseDirectory(workspace)]
  const wanted = replay ? replayed : live
  if (existsSync(wanted)) return wanted
  const hasOther = existsSync(replay ? live : replayed)
  const other = replay ? 'omit --replay for what the node stored live' : 'add --replay for what the last replay stored'
  throw new CliError({
    place: wanted,
    cause: `nothing is stored: no ${replay ? 'replay' : 'live node'} has run in this workspace`,
    fix: hasOther ? other : `run one with: crunch deploy${replay ? ' --replay' : ''}`,
  })
}

async function openNode<Result>(
  terminal: Terminal,
  directoryOf: (workspace: Workspace) => string,
  action: (node: OpenedNode) => Promise<Result>,
  replay = false,
): Promise<Result> {
  const workspace = findWorkspace(terminal.cwd)
  const environment = readNodeEnvironment(workspace.nodeDirectory, terminal.env)
  const { databaseUrl: setUrl, databasePlace } = readNodeSettings(environment)
  // A replay always uses an embedded database, even if the live node uses another server.
  const databaseUrl = replay ? undefined : setUrl
  const contract = await loadNodeContract(workspace.contractPath, environment.values)
  const embedded =
    databaseUrl === undefined ? await embeddedDatabase.start({ directory: directoryOf(workspace) }) : undefined
  try {
    const store = await openStore({ url: databaseUrl ?? embedded?.url ?? '' })
    try {
      return await action({ workspace, contract, environment: environment.values, store })
    } finally {
      await store.close()
    }
  } catch (error) {
    throw databaseUrl === undefined ? error : placed(error, databasePlace)
  } finally {
    await embedded?.stop()
  }
}

/** A failure of the database, with the place of its address. */
class DatabaseError extends ExpectedError {
  override readonly name = 'DatabaseError'
  readonly code: string

  constructor(place: string, { code, message }: ExpectedError, cause: unknown) {
    super(`${place}: ${message}`, { cause })
    this.code = code
  }
}

function placed(error: unknown, place: string): unknown {
  return isExpectedError(error) && error.code.startsWith('STORE_') ? new DatabaseError(place, error, error) : error
}
