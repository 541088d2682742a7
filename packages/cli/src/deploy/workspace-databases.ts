import { join } from 'node:path'
import { embeddedDatabase } from '../embedded-database.ts'
import type { EndedProcess } from '../supervisor/pid-files.ts'
import type { Workspace } from '../workspace.ts'

/** The folder of the embedded live database. */
export function liveDatabaseDirectory(workspace: Workspace): string {
  return join(workspace.stateDirectory, 'postgres')
}

/** The folder of the replay database, which is separate from the live database. */
export function replayDatabaseDirectory(workspace: Workspace): string {
  return join(workspace.stateDirectory, 'replay-postgres')
}

/**
 * Ends the embedded servers that still run in a workspace, and returns them. A server has its own process group, so it survives
 * if the process that started it is killed.
 */
export async function stopDatabases(workspace: Workspace): Promise<readonly EndedProcess[]> {
  const ended: EndedProcess[] = []
  for (const directory of [liveDatabaseDirectory(workspace), replayDatabaseDirectory(workspace)]) {
    const pid = await embeddedDatabase.stop(directory)
    if (pid !== undefined) ended.push({ service: 'postgres', pid })
  }
  return ended
}
