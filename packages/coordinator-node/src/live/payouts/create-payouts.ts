import { errorText } from '@crunch/local-processes/errors'
import type { Checkpoint, Winner } from '../../domain/checkpoint.ts'
import { CrunchError } from '../../domain/errors.ts'
import { cliFile, emissionRow, prizesJson, prizesNdjson } from '../../domain/payout/payout-files.ts'
import { type CruncherAccounts, unmappedWinners, winnersOf } from '../../domain/payout/winners.ts'
import type { Instant } from '../../domain/time.ts'
import type { CruncherRegistry } from '../../ports/payout/cruncher-registry.ts'
import type { PayoutFormat, Payouts, RegistryProblem, WinnersReport } from '../../ports/payout/payouts.ts'
import { acknowledged } from './acknowledge.ts'
import { advance, confirm, find } from './move-checkpoint.ts'
import type { PayoutParts } from './payout-parts.ts'

/** How long accounts are shown without being read again: pages are public, and the registry may be an endpoint. */
const shownForMs = 30_000

/** Payouts over a store, a registry and optionally a chain. */
export function createPayouts(parts: PayoutParts): Payouts {
  const { store, now } = parts
  const shown = { ...parts, registry: remembered(parts) }
  return {
    winners: (checkpoint) => winnersReport(shown, checkpoint),
    registryProblem(models) {
      // Failures are remembered.
      shown.registry.accounts(models).catch(() => undefined)
      return shown.registry.problem()
    },
    async file(id, format, totalPrize) {
      const checkpoint = await acknowledged(store, await find(store, id), undefined, now())
      return fileOf(checkpoint, format, await mappedWinners(parts, checkpoint), parts.crunch, totalPrize)
    },
    confirm: (id, transactionId) => confirm(parts, id, transactionId, (checkpoint) => mappedWinners(parts, checkpoint)),
    advance: (id, status) => advance(parts, id, status),
  }
}

/** A registry that is read at most twice a minute, also while it fails. */
function remembered({ registry, now, log }: Pick<PayoutParts, 'registry' | 'now' | 'log'>): RememberedRegistry {
  let last: { readonly at: Instant; readonly accounts: Promise<CruncherAccounts> } | undefined
  let problem: RegistryProblem | null = null
  function note(error: unknown): void {
    const detail = errorText(error)
    problem = { reason: publicText(error), detail, since: problem?.since ?? now() }
    log?.warn('wallets cannot be read', { stage: 'report', registry: registry.place, error: detail })
  }
  return {
    place: registry.place,
    accounts(models) {
      if (last === undefined || Math.abs(now() - last.at) >= shownForMs) {
        const accounts = registry.accounts(models)
        accounts.then(() => {
          problem = null
        }, note)
        last = { at: now(), accounts }
      }
      return last.accounts
    },
    problem: () => problem,
  }
}

interface RememberedRegistry extends CruncherRegistry {
  problem(): RegistryProblem | null
}

function publicText(error: unknown): string {
  return (error instanceof CrunchError ? error.publicReason : undefined) ?? 'the registry of crunchers cannot be read'
}

async function winnersReport(parts: PayoutParts, checkpoint: Checkpoint): Promise<WinnersReport> {
  try {
    const winners = await allWinners(parts, checkpoint)
    return { winners, problem: mappingProblem(checkpoint, winners, parts.registry), registryProblem: null }
  } catch (error) {
    if (!(error instanceof CrunchError) || !error.code.startsWith('REGISTRY_')) throw error
    const winners = winnersOf(checkpoint, await parts.store.models(), new Map())
    return { winners, problem: error.message, registryProblem: publicText(error) }
  }
}

async function allWinners({ store, registry }: PayoutParts, checkpoint: Checkpoint): Promise<readonly Winner[]> {
  const models = await store.models()
  const isKnown = checkpoint.moves.length > 0 || checkpoint.entries.every(({ rewardFrac64 }) => rewardFrac64 === 0)
  return winnersOf(checkpoint, models, isKnown ? new Map() : await registry.accounts(models))
}

/** All have a wallet. */
async function mappedWinners(parts: PayoutParts, checkpoint: Checkpoint): Promise<readonly Winner[]> {
  const winners = await allWinners(parts, checkpoint)
  const problem = mappingProblem(checkpoint, winners, parts.registry)
  if (problem === null) return winners
  throw new CrunchError('NOT_MAPPED', `${problem}\n  fix: add their crunchers to that registry`)
}

function mappingProblem({ id }: Checkpoint, winners: readonly Winner[], registry: CruncherRegistry): string | null {
  const unmapped = unmappedWinners(winners)
  return unmapped.length === 0 ? null : `${id}: winners without a wallet in ${registry.place}: ${unmapped.join(', ')}`
}

function fileOf(
  checkpoint: Checkpoint,
  format: PayoutFormat,
  winners: readonly Winner[],
  crunch: string | null,
  totalPrize: number | undefined,
): string {
  if (format === 'emission') return `${JSON.stringify(emissionRow(checkpoint, winners))}\n`
  if (format === 'cli') return cliFile(checkpoint, nameOnChain(checkpoint, crunch), winners)
  if (totalPrize === undefined || !Number.isSafeInteger(totalPrize) || totalPrize < 0) {
    const fix = 'give the sum of all prizes in micro-units, such as 1000000 for one USDC'
    throw new CrunchError(
      'BAD_REQUEST',
      `the total prize ${totalPrize ?? ''} is missing or no whole number\n  fix: ${fix}`,
    )
  }
  return format === 'prizes-json' ? prizesJson(checkpoint, totalPrize) : prizesNdjson(checkpoint, totalPrize)
}

function nameOnChain({ id, crunch }: Checkpoint, setting: string | null): string {
  const name = crunch ?? setting
  if (name !== null) return name
  throw new CrunchError('BAD_REQUEST', `${id}: the competition has no name on chain\n  fix: set CRUNCH_PUBKEY`)
}
