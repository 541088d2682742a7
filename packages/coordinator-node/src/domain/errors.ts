import { ExpectedError } from '@crunch/local-processes/errors'

/** All ways in which the environment of the engine can be broken. */
export type CrunchErrorCode =
  | 'CONTRACT_INVALID'
  | 'CONTRACT_NOT_LOADED'
  | 'ROUTES_NOT_LOADED'
  | 'SETTINGS_INVALID'
  | 'STORE_UNAVAILABLE'
  | 'STORE_TOO_NEW'
  | 'STORE_CORRUPT'
  | 'STORE_UNSUITABLE'
  | 'OTHER_COMPETITION'
  | 'CONTRACT_CHANGED'
  | 'ERA_ENDED'
  | 'PERIOD_CLOSED'
  | 'RECORDING_INVALID'
  | 'FEED_UNAVAILABLE'
  | 'FEED_INTERRUPTED'
  | 'ORCHESTRATOR_UNAVAILABLE'
  | 'PORT_IN_USE'
  | 'LEASE_HELD'
  | 'NOT_FOUND'
  | 'NOT_ACKNOWLEDGED'
  | 'NOT_MAPPED'
  | 'NOT_VERIFIED'
  | 'CONFLICT'
  | 'REGISTRY_INVALID'
  | 'REGISTRY_UNAVAILABLE'
  | 'CHAIN_UNAVAILABLE'
  | 'BAD_REQUEST'

/** Returns a value that the engine guarantees. Throws a `RangeError` if it is missing: a default would hide the engine's fault. */
export function present<Value>(value: Value | null | undefined, what: string): Value {
  if (value === undefined || value === null) throw new RangeError(`${what} is missing, which is a fault of the engine`)
  return value
}

/**
 * The environment is broken, not the program. The message says what happened, where, and how to fix it; `code` is stable.
 * Expected outcomes (a late model, a truth that is not known yet) are data, never an error.
 */
export class CrunchError extends ExpectedError {
  override readonly name = 'CrunchError'
  /** What is broken, for programs, e.g. `FEED_UNAVAILABLE`. */
  readonly code: CrunchErrorCode
  /** The reason without hosts, users and rows, for public answers. */
  readonly publicReason: string | undefined

  constructor(
    code: CrunchErrorCode,
    message: string,
    options: { readonly cause?: unknown; readonly publicReason?: string | undefined } = {},
  ) {
    super(message, 'cause' in options ? { cause: options.cause } : undefined)
    this.code = code
    this.publicReason = options.publicReason
  }
}
