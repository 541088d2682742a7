import type { Instant } from '../../domain/time.ts'
import type { Log } from '../../ports/log.ts'
import type { Chain } from '../../ports/payout/chain.ts'
import type { CruncherRegistry } from '../../ports/payout/cruncher-registry.ts'
import type { Store } from '../../ports/store.ts'

export interface PayoutParts {
  readonly store: Pick<Store, 'acknowledgeCheckpoint' | 'checkpoint' | 'checkpoints' | 'models' | 'moveCheckpoint'>
  readonly registry: CruncherRegistry
  /** `null`: transactions are not looked up. */
  readonly chain: Chain | null
  /** On-chain name of the competition, for checkpoints that closed before it was set. */
  readonly crunch: string | null
  /** Reports accounts that cannot be read; a command shows them itself. */
  readonly log?: Log
  /** Wall time. */
  readonly now: () => Instant
}
