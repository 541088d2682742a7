/** Every way in which the world around the engine can be broken. */
export type CrunchErrorCode =
  | 'CONTRACT_INVALID'
  | 'CONTRACT_NOT_LOADED'
  | 'SETTINGS_INVALID'
  | 'STORE_UNAVAILABLE'
  | 'STORE_TOO_NEW'
  | 'STORE_CORRUPT'
  | 'RECORDING_INVALID'
  | 'FEED_UNAVAILABLE'
  | 'FEED_INTERRUPTED'
  | 'ORCHESTRATOR_UNAVAILABLE'
  | 'PORT_IN_USE'
  | 'LEASE_HELD'
  | 'NOT_FOUND'
  | 'BAD_REQUEST'

/**
 * A broken world, as opposed to a broken program: what happened, where, and what to do about it.
 * Expected outcomes (a late model, a truth that is not known yet) are data, never this.
 */
export class CrunchError extends Error {
  override readonly name = 'CrunchError'
  readonly code: CrunchErrorCode

  constructor(code: CrunchErrorCode, message: string, options?: { readonly cause?: unknown }) {
    super(message, options)
    this.code = code
  }
}
