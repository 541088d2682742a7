import { addressProblem } from '../../domain/payout/base58.ts'
import type { CruncherRegistry } from '../../ports/payout/cruncher-registry.ts'

/**
 * The accounts that an orchestrator announces with its deployments: where participants register on chain, the id of a cruncher is the
 * address of its wallet. The index on chain is not announced. An id belongs to one cruncher for ever, so a later announcement cannot
 * redirect a reward.
 */
export const deploymentRegistry: CruncherRegistry = {
  place: "the orchestrator's deployment infos, where the id of a cruncher must be the address of a wallet",
  async accounts(models) {
    const wallets = models.map(({ cruncherId }) => cruncherId).filter((id) => addressProblem(id) === null)
    return new Map(wallets.map((wallet) => [wallet, { wallet, onchainIndex: null }]))
  },
}
