import type { JsonObject } from './json/json.ts'
import { formatInstant, type Instant } from './time.ts'

/** Which competition a database belongs to. */
export interface Competition {
  /** The setting CRUNCH_ID. */
  readonly crunchId: string
  /** The contract's name. */
  readonly name: string
}

/** A time span of a competition in which the structure of its contract is constant. */
export interface Era {
  /** 1, 2, ... */
  readonly number: number
  /** Everything in the contract that changes results, except code. */
  readonly structure: JsonObject
  /** SHA-256 of the structure as canonical JSON. */
  readonly fingerprint: string
  /** In pipeline time. For the first era: when the store first got a contract; its rows may be older. */
  readonly beganAt: Instant
}

/** The code of a contract, identified by the hash of its module graph. */
export interface ContractVersion {
  /** Numbered across all eras: 1, 2, ... */
  readonly number: number
  readonly hash: string
  readonly era: number
  readonly firstSeenAt: Instant
}

/** The era in which a pipeline runs. */
export interface EraSpan {
  readonly number: number
  /** No round, window or period of the era begins before this instant. */
  readonly beganAt: Instant
  /** `null` for the current era. */
  readonly endedAt: Instant | null
  /** Which version of the contract's code computes scores. */
  readonly contractVersion: number
}

/** For simulations, which have one era and one version. */
export const onlyEra: EraSpan = { number: 1, beganAt: 0, endedAt: null, contractVersion: 1 }

/** The time span of a stored era. The first era also contains all earlier rows. @param eras all eras, in order */
export function eraSpan(eras: readonly Era[], { number, beganAt }: Era, contractVersion: number): EraSpan {
  const next = eras.find((era) => era.number === number + 1)
  return { number, beganAt: number === 1 ? 0 : beganAt, endedAt: next?.beganAt ?? null, contractVersion }
}

/** Eras are never empty. The first one begins in wall time, which a replay may not have reached. */
export function earliestEnd({ number, beganAt }: Era): Instant {
  return number === 1 ? Number.NEGATIVE_INFINITY : beganAt + 1
}

/** Why a round that was open when an era began is void. */
export function eraBeganReason({ number, beganAt }: Pick<Era, 'number' | 'beganAt'>): string {
  return `the contract changed (era ${number} began ${formatInstant(beganAt)}) before the truth was known`
}
