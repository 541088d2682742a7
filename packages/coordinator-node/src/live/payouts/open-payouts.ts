import { resolve } from 'node:path'
import { openSolanaChain } from '../../adapters/chain/solana-chain.ts'
import { deploymentRegistry } from '../../adapters/registry/deployment-registry.ts'
import { fileRegistry } from '../../adapters/registry/file-registry.ts'
import { httpRegistry } from '../../adapters/registry/http-registry.ts'
import type { Log } from '../../ports/log.ts'
import type { CruncherRegistry } from '../../ports/payout/cruncher-registry.ts'
import type { Payouts } from '../../ports/payout/payouts.ts'
import type { Settings } from '../settings.ts'
import { createPayouts } from './create-payouts.ts'
import type { PayoutParts } from './payout-parts.ts'

/**
 * Payouts of a node, by its settings `CRUNCHER_REGISTRY`, `SOLANA_RPC_URL` and `CRUNCH_PUBKEY`. The report routes and the command line
 * call it with the read and write store. Rejects with SETTINGS_INVALID if the package that the chain needs is not installed.
 * @param folder the folder of the contract, to which the path of the registry is relative
 */
export async function openPayouts(
  store: PayoutParts['store'],
  settings: Settings,
  folder: string,
  log?: Log,
): Promise<Payouts> {
  const { SOLANA_RPC_URL: url, CRUNCH_PUBKEY: crunch = null } = settings
  const chain = url === undefined ? null : await openSolanaChain({ url })
  return createPayouts({
    store,
    registry: registryOf(settings, folder),
    chain,
    crunch,
    now: Date.now,
    ...(log && { log }),
  })
}

function registryOf({ CRUNCHER_REGISTRY: source }: Settings, folder: string): CruncherRegistry {
  if (source === 'deployments') return deploymentRegistry
  return /^https?:/i.test(source) ? httpRegistry(source) : fileRegistry(resolve(folder, source))
}
