import type { Competition, ContractVersion, Era } from '../domain/era.ts'
import type { JsonObject } from '../domain/json/json.ts'
import type { Instant } from '../domain/time.ts'

/** The contract with which a process wants to use a database. */
export interface EraEntry {
  readonly competition: Competition
  readonly structure: JsonObject
  readonly fingerprint: string
  /** What the fingerprint was before the organizer was a part of the structure. */
  readonly formerFingerprint?: string
  readonly codeHash: string
  readonly at: Instant
}

export type EnteredEra =
  | {
      readonly kind: 'entered'
      readonly era: Era
      readonly version: ContractVersion
      /** Whether the database had none before. */
      readonly isFirstEra: boolean
      readonly isNewVersion: boolean
    }
  /** Nothing was written: the database belongs to another competition. */
  | { readonly kind: 'other-competition'; readonly competition: Competition }
  /** Nothing was written: the current era has another structure. */
  | { readonly kind: 'changed'; readonly era: Era }

export interface NextEra {
  /** The number of the era that ends. */
  readonly after: number
  readonly structure: JsonObject
  readonly fingerprint: string
  readonly at: Instant
}

export interface BegunEra {
  readonly era: Era
  /** Rounds of earlier eras that were open. */
  readonly voidRoundCount: number
}

/** The part of the store that distinguishes contracts. */
export interface EraStore extends EraReads {
  /**
   * Enters the current era, and keeps the version of the contract's code when it is new to this era. The first to enter gives
   * the database its competition and its first era. Processes that start together get the same answer. A current era with the
   * former fingerprint is the same one: from now on it holds this structure.
   */
  enterEra(entry: EraEntry): Promise<EnteredEra>
  /**
   * Ends the era `after` and begins the next one, in one transition: every unresolved round becomes void, and its PENDING
   * predictions FAILED with reason `contract_changed`, blamed on us. It begins at `at`, or right behind the newest round that
   * was opened, the newest truth that was settled and the newest period that was closed, so that no instant belongs to two eras.
   * `null`: `after` is not the current era, and nothing was changed.
   */
  beginEra(next: NextEra): Promise<BegunEra | null>
}

export interface EraReads {
  /** `null` before the first contract was seen. */
  competition(): Promise<Competition | null>
  /** In order of number; the last is the current one. */
  eras(): Promise<readonly Era[]>
  /** In order of number. */
  contractVersions(): Promise<readonly ContractVersion[]>
}
