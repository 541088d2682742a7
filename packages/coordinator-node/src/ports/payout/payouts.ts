import type { Checkpoint, Winner } from '../../domain/checkpoint.ts'
import type { Model } from '../../domain/models/model.ts'
import type { Instant } from '../../domain/time.ts'

/** Files that hand a payout over to the chain; see `domain/payout/payout-files.ts`. */
export type PayoutFormat = 'emission' | 'cli' | 'prizes-ndjson' | 'prizes-json'

/** The names of the formats. */
export const payoutFormats: readonly PayoutFormat[] = ['emission', 'cli', 'prizes-ndjson', 'prizes-json']

/** The winners of a checkpoint, and why some or all have no account. */
export interface WinnersReport {
  readonly winners: readonly Winner[]
  /**
   * For the operator: names the winners without a wallet, or says why the registry cannot be read, with its path; `null` if all have one.
   */
  readonly problem: string | null
  /** Why the registry cannot be read, for the public; `null` if it can. Then winners have no wallet that may have one. */
  readonly registryProblem: string | null
}

/** Why the accounts of crunchers cannot be read. */
export interface RegistryProblem {
  /** For the public. */
  readonly reason: string
  /** For the operator, with the place and the fix. */
  readonly detail: string
  /** The first read that failed since the last one that did not. */
  readonly since: Instant
}

/**
 * Payouts on their way to the chain. What spends money (`file`, `confirm`) rejects with `NOT_ACKNOWLEDGED` while refused scores or
 * truths are not acknowledged, with `NOT_MAPPED` while a winner has no wallet, and with `REGISTRY_INVALID` or `REGISTRY_UNAVAILABLE` if the
 * registry cannot be read. An unknown id is `NOT_FOUND`.
 */
export interface Payouts {
  /** For display: never rejects because of the registry, which it reads at most twice a minute. */
  winners(checkpoint: Checkpoint): Promise<WinnersReport>
  /**
   * What the newest finished read for display found; `null` if it succeeded, or there was none. It waits for nothing, and begins the next
   * read if the last one is too old.
   */
  registryProblem(models: readonly Pick<Model, 'cruncherId'>[]): RegistryProblem | null
  /**
   * The text of a file. Formats of prizes reject with `BAD_REQUEST` without `totalPrize`, a whole number of micro-units that is not
   * negative; `cli` does so if the competition has no name on chain.
   */
  file(id: string, format: PayoutFormat, totalPrize?: number): Promise<string>
  /**
   * Moves a checkpoint from PENDING to SUBMITTED with the transaction that pays it, and keeps its winners. The same transaction again
   * changes nothing and returns the checkpoint, whatever its status. Rejects with `BAD_REQUEST` for a text that is no transaction id,
   * with `CONFLICT` if the checkpoint or the transaction belongs to another confirmation or the payout is empty, and, where the
   * chain is asked, with `NOT_VERIFIED` or `CHAIN_UNAVAILABLE`.
   */
  confirm(id: string, transactionId: string): Promise<Checkpoint>
  /**
   * Moves a checkpoint to the next status after SUBMITTED. Its own status again changes nothing. Rejects with `BAD_REQUEST` for an
   * unknown status, and with `CONFLICT` for any other step; SUBMITTED is reached by `confirm` only.
   */
  advance(id: string, status: string): Promise<Checkpoint>
}
