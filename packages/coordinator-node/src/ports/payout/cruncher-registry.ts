import type { Model } from '../../domain/models/model.ts'
import type { CruncherAccounts } from '../../domain/payout/winners.ts'

/** Where the accounts of crunchers on chain come from. */
export interface CruncherRegistry {
  /** For messages: what to correct when a cruncher has no account, e.g. a path. It is public. */
  readonly place: string
  /** As they are now. Rejects with `REGISTRY_INVALID` or `REGISTRY_UNAVAILABLE`: the place, the cause and the fix. */
  accounts(models: readonly Pick<Model, 'cruncherId'>[]): Promise<CruncherAccounts>
}
