import { type ApiKey, isKeyValid } from '../../domain/access/api-key.ts'
import { CrunchError } from '../../domain/errors.ts'
import type { Instant } from '../../domain/time.ts'
import { isKeyOf, isSameSecret, keyIdOf } from './key-text.ts'
import type { Viewer } from './viewer.ts'

/** The keys of this moment. */
export interface Keys {
  /** Whether the node has any valid key; the key of this machine does not count. */
  readonly isNonEmpty: boolean
  /** Who may present this key; `null`: it is not valid. */
  ownerOf(text: string): KeyOwner | null
}

export interface KeyOwner {
  readonly viewer: Viewer
  readonly name: string
  /** Whether the key is random, so that it cannot be found by trying. `API_KEY` is what the operator has written. */
  readonly isRandom: boolean
}

export interface KeyRing {
  /** Rejects with `STORE_UNAVAILABLE` when the database has not given the keys for longer than {@link maxAgeMs}. */
  current(): Promise<Keys>
}

export interface KeyRingOptions {
  /** Reads the keys that are valid at an instant, in limited time. */
  readonly read: (at: Instant) => Promise<readonly ApiKey[]>
  /** `API_KEY`: a key of the organizer that is not stored. */
  readonly legacyKey?: string | undefined
  /** The key by which the programs of this machine know each other, if it has one. */
  readonly machineKey?: (() => string | undefined) | undefined
  readonly wallNow: () => Instant
  readonly monotonicMs: () => number
}

/** How long a revoked key may still be accepted. */
const refreshMs = 2_000
/** The same while the database does not answer. */
const maxAgeMs = 10_000

/** Reads the keys again after {@link refreshMs}; holds only those that are valid. Concurrent requests share one read. */
export function createKeyRing(options: KeyRingOptions): KeyRing {
  const { read, wallNow, monotonicMs } = options
  let loaded: { readonly keys: ReadonlyMap<string, ApiKey>; readonly at: number } | undefined
  let loading: Promise<void> | undefined

  async function load(): Promise<void> {
    const startedAt = monotonicMs()
    const keys = await read(wallNow())
    loaded = { keys: new Map(keys.map((key) => [key.id, key])), at: startedAt }
  }

  return {
    async current() {
      const age = () => (loaded === undefined ? Number.POSITIVE_INFINITY : monotonicMs() - loaded.at)
      if (age() >= refreshMs) {
        loading ??= load().finally(() => {
          loading = undefined
        })
        await loading.catch((error: unknown) => {
          if (!(error instanceof CrunchError) || age() >= maxAgeMs) throw error
        })
      }
      return openKeys(loaded?.keys ?? new Map(), options)
    },
  }
}

function openKeys(keys: ReadonlyMap<string, ApiKey>, { legacyKey, machineKey, wallNow }: KeyRingOptions): Keys {
  const now = wallNow()
  return {
    isNonEmpty: legacyKey !== undefined || [...keys.values()].some((key) => isKeyValid(key, now)),
    ownerOf(text) {
      if (legacyKey !== undefined && isSameSecret(text, legacyKey)) {
        return { viewer: { role: 'admin', by: 'key' }, name: 'API_KEY', isRandom: false }
      }
      const key = keys.get(keyIdOf(text) ?? '')
      if (key !== undefined && isKeyOf(key, text) && isKeyValid(key, now))
        return { viewer: viewerOf(key), name: key.name, isRandom: true }
      const own = machineKey?.()
      if (own === undefined || !isSameSecret(text, own)) return null
      return { viewer: { role: 'admin', by: 'key' }, name: 'this machine', isRandom: true }
    },
  }
}

function viewerOf({ scope, cruncherId }: ApiKey): Viewer {
  if (scope === 'admin') return { role: 'admin', by: 'key' }
  return scope === 'participant' && cruncherId !== null ? { role: 'participant', cruncherId } : { role: 'read' }
}
