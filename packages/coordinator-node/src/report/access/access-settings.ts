import type { TierPrefixes } from './tiers.ts'

/** How the operator restricts the API. Without it, only stored keys do. */
export interface AccessSettings extends TierPrefixes {
  /** `API_KEY`: a key of the organizer. */
  readonly legacyKey?: string | undefined
  /** `API_READ_AUTH`: reads that are not public need a key. */
  readonly readsNeedKey?: boolean
  /** Addresses and networks of proxies whose X-Forwarded-For is believed. */
  readonly trustedProxies?: readonly string[]
  /** The key by which the programs of this machine know each other; read anew for each use. */
  readonly machineKey?: (() => string | undefined) | undefined
}
