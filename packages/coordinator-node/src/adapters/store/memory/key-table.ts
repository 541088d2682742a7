import type { ApiKey } from '../../../domain/access/api-key.ts'
import { isKeyValid } from '../../../domain/access/api-key.ts'
import type { Instant } from '../../../domain/time.ts'
import type { NextApiKey } from '../../../ports/store-keys.ts'
import { compareText } from '../compare-text.ts'

export interface KeyTable {
  add(key: ApiKey): boolean
  rotate(name: string, next: NextApiKey, endsAt: Instant): ApiKey | null
  revoke(name: string, at: Instant): number
  /** Oldest first, then in order of id. */
  keys(from?: Instant): readonly ApiKey[]
}

export function createKeyTable(): KeyTable {
  const keys = new Map<string, ApiKey>()
  const current = (name: string) => [...keys.values()].find((key) => key.name === name && key.endsAt === null)
  return {
    add(key) {
      if (keys.has(key.id) || current(key.name) !== undefined) return false
      keys.set(key.id, key)
      return true
    },
    rotate(name, next, endsAt) {
      const before = current(name)
      if (before === undefined) return null
      keys.set(before.id, { ...before, endsAt, endReason: 'rotated' })
      const made: ApiKey = { ...before, ...next }
      keys.set(made.id, made)
      return made
    },
    revoke(name, at) {
      const ending = [...keys.values()].filter((key) => key.name === name && isKeyValid(key, at))
      for (const key of ending) keys.set(key.id, { ...key, endsAt: at, endReason: 'revoked' })
      return ending.length
    },
    keys: (from) =>
      [...keys.values()]
        .filter((key) => from === undefined || isKeyValid(key, from))
        .sort((left, right) => left.createdAt - right.createdAt || compareText(left.id, right.id)),
  }
}
