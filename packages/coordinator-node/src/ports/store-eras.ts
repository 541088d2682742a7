import type { Competition, ContractVersion, Era } from '../domain/era.ts'
import type { JsonObject } from '../domain/json/json.ts'
import type { Instant } from '../domain/time.ts'

/** The contract with which a process wants to use a database. */
export interface EraEntry {
  readonly competition: Competition
  readonly structure: JsonObject
  readonly fingerprint: string
  /** The fingerprint without the organizer, as stored before the organizer was a part of the structure. */
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
   * Enters the current era, and stores the version of the contract's code if it is new to this era. The first process to enter
   * determines the competition and first era of the database. Concurrently starting processes get the same result. A current
   * era with the former fingerprint is the same era; its stored structure is updated.
   */
  enterEra(entry: EraEntry): Promise<EnteredEra>
  /**
   * Ends the era `after` and begins the next one, in one transition: every unresolved round becomes void, and its PENDING
   * predictions FAILED with reason `contract_changed`, blamed on the coordinator. It begins at `at`, but after the newest opened
   * round, the newest settled truth and the newest closed period, so that no instant belongs to two eras.
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
