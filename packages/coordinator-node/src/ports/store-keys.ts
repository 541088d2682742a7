import type { ApiKey } from '../domain/access/api-key.ts'
import type { Instant } from '../domain/time.ts'

/** The key that follows another one of the same name; name and scope stay. */
export type NextApiKey = Pick<ApiKey, 'id' | 'hash' | 'createdAt'>

/** What is known about the keys. */
export interface KeyReads {
  /** Keys that are valid at or after `from`; without it, all keys that ever existed. Ordered by (createdAt, id). */
  apiKeys(from?: Instant): Promise<readonly ApiKey[]>
}

/** Keys of the report API. All times are of the wall clock, also in a replay. */
export interface KeyStore extends KeyReads {
  /** `false`: a key of this name has no end yet, and nothing was changed. The id must be new. */
  addApiKey(key: ApiKey): Promise<boolean>
  /**
   * Ends the key of this name that has no end, at `endsAt`, and adds the next one with its scope, which is returned.
   * `null`: there is no such key, and nothing was changed.
   */
  rotateApiKey(name: string, next: NextApiKey, endsAt: Instant): Promise<ApiKey | null>
  /** Ends all keys of a name that are valid at `at`, also those that were rotated. Returns their number. */
  revokeApiKeys(name: string, at: Instant): Promise<number>
}
