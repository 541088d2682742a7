import {
  checkEmbeddedPostgres,
  embeddedPostgresStatus,
  removeEmbeddedPostgres,
  startEmbeddedPostgres,
  stopEmbeddedPostgres,
} from '@crunch/embedded-postgres'
import { CliError } from './cli-error.ts'

/** The embedded PostgreSQL of a folder. Apart from the engine, which takes seven times as long to load. */
export const embeddedDatabase = {
  start: startEmbeddedPostgres,
  /** Starts nothing. Throws EmbeddedPostgresError if no server can run there. */
  check: checkEmbeddedPostgres,
  /** Ends the server of a folder, even if another process started it. Returns its process; undefined if none ran. */
  stop: stopEmbeddedPostgres,
  /** Ends the server of a folder and permanently deletes its data. */
  remove: removeEmbeddedPostgres,
  /** The URL of the running server of a folder, with its password. */
  async url(directory: string): Promise<string> {
    const status = await embeddedPostgresStatus(directory)
    if (status.state === 'running') return status.url
    throw new CliError({
      place: directory,
      cause: 'the embedded database exited right after it became ready',
      fix: 'find the reason with: crunch logs postgres',
    })
  },
}
