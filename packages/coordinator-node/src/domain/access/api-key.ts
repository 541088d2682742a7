import type { Instant } from '../time.ts'

/** `read`: reads that are not public. `admin`: everything. `participant`: also what belongs to one cruncher. */
export type KeyScope = 'read' | 'admin' | 'participant'

/** A key of the report API, as it is stored: without its secret. */
export interface ApiKey {
  /** Public: the part of the key before its secret. */
  readonly id: string
  /** Of all keys with one name, at most one has no end. */
  readonly name: string
  readonly scope: KeyScope
  /** The cruncher of a participant's key; `null` for other scopes. */
  readonly cruncherId: string | null
  /** SHA-256 of the key, in hexadecimal digits. */
  readonly hash: string
  readonly createdAt: Instant
  /** The key is valid before this time; `null`: until it is revoked. May be in the future, after a rotation. */
  readonly endsAt: Instant | null
  readonly endReason: 'rotated' | 'revoked' | null
}

/** Whether a key is accepted at an instant of the wall clock. */
export function isKeyValid({ endsAt }: ApiKey, at: Instant): boolean {
  return endsAt === null || at < endsAt
}
