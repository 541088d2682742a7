import { ExpectedError } from '@crunch/local-processes/errors'

/** Why the embedded database could not be used. */
export type EmbeddedPostgresErrorCode =
  | 'BINARIES_NOT_FOUND'
  | 'DIRECTORY_NOT_WRITABLE'
  | 'SETTINGS_UNREADABLE'
  | 'DATA_DAMAGED'
  | 'VERSION_MISMATCH'
  | 'INITIALISATION_FAILED'
  | 'PORT_INVALID'
  | 'PORT_TAKEN'
  | 'RUNNING_ON_ANOTHER_PORT'
  | 'START_FAILED'

/** The only error of this package: `code` says what happened, `message` also what to do. */
export class EmbeddedPostgresError extends ExpectedError {
  readonly code: EmbeddedPostgresErrorCode

  constructor(code: EmbeddedPostgresErrorCode, message: string, options?: { readonly cause?: unknown }) {
    super(message, options)
    this.name = 'EmbeddedPostgresError'
    this.code = code
  }
}
