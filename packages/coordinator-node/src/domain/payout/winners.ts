import type { Checkpoint, Winner } from '../checkpoint.ts'
import type { Model } from '../models/model.ts'

/** The account on chain of a cruncher. */
export interface CruncherAccount {
  /** Address of the wallet in base58. */
  readonly wallet: string
  /** `null` where the registry knows only wallets. */
  readonly onchainIndex: number | null
}

/** The account of each cruncher, by its id. */
export type CruncherAccounts = ReadonlyMap<string, CruncherAccount>

/**
 * The paid models of a checkpoint, best first, with the accounts that get their rewards. A confirmed checkpoint keeps those that it was
 * confirmed with, whatever the registry says later.
 */
export function winnersOf(
  checkpoint: Pick<Checkpoint, 'entries' | 'moves'>,
  models: readonly Model[],
  accounts: CruncherAccounts,
): readonly Winner[] {
  const confirmed = checkpoint.moves.find(({ to }) => to === 'SUBMITTED')
  if (confirmed !== undefined) return confirmed.winners
  const byId = new Map(models.map((model) => [model.id, model]))
  return checkpoint.entries.flatMap(({ modelId, rewardFrac64 }) => {
    if (rewardFrac64 === 0) return []
    const { name = modelId, cruncherId = '', cruncherName = '' } = byId.get(modelId) ?? {}
    const { wallet = null, onchainIndex = null } = accounts.get(cruncherId) ?? {}
    return [{ modelId, modelName: name, cruncherId, cruncherName, rewardFrac64, wallet, onchainIndex }]
  })
}

/** `"trend" (model 12 of cruncher alice)` for each winner without a wallet. */
export function unmappedWinners(winners: readonly Winner[]): readonly string[] {
  return winners
    .filter(({ wallet }) => wallet === null)
    .map(({ modelId, modelName, cruncherId }) => `"${modelName}" (model ${modelId} of cruncher ${cruncherId})`)
}
