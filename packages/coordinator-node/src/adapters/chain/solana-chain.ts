import { errorText } from '@crunch/local-processes/errors'
import { CrunchError } from '../../domain/errors.ts'
import type { Chain } from '../../ports/payout/chain.ts'

/** The part of `@solana/kit` that is used. Its types are not imported, because the package is optional. */
interface SolanaKit {
  createSolanaRpc(url: string): {
    getSignatureStatuses(
      signatures: readonly never[],
      options: { readonly searchTransactionHistory: true },
    ): { send(options: { readonly abortSignal: AbortSignal }): Promise<{ readonly value: readonly unknown[] }> }
  }
}

export interface SolanaOptions {
  /** URL of an RPC server. Its path and parameters may hold a key, so messages show its host only. */
  readonly url: string
  /** Default: 10,000. */
  readonly limitMs?: number
  /** Default: `@solana/kit`, an optional peer dependency. */
  readonly load?: () => Promise<unknown>
}

/** Asks a Solana RPC server. Rejects with `SETTINGS_INVALID` if the package `@solana/kit` is not installed. */
export async function openSolanaChain(options: SolanaOptions): Promise<Chain> {
  const { url, limitMs = 10_000, load = () => import('@solana/kit') } = options
  const kit = (await load().catch((error: unknown) => {
    const fix = 'install it with: npm install @solana/kit@8, or remove the setting'
    const message = `SOLANA_RPC_URL: the package @solana/kit cannot be loaded (${errorText(error)})\n  fix: ${fix}`
    throw new CrunchError('SETTINGS_INVALID', message, { cause: error })
  })) as SolanaKit
  const rpc = kit.createSolanaRpc(url)
  const host = new URL(url).host
  return {
    async requireFinal(transactionId) {
      const request = rpc.getSignatureStatuses([transactionId as never], { searchTransactionHistory: true })
      const { value } = await request.send({ abortSignal: AbortSignal.timeout(limitMs) }).catch((error: unknown) => {
        throw unavailable(host, errorText(error), error)
      })
      const [status] = Array.isArray(value) ? (value as readonly unknown[]) : []
      const problem = problemOf(status)
      if (problem === null) return
      throw new CrunchError('NOT_VERIFIED', `the transaction ${transactionId} ${problem} (according to ${host})`, {
        publicReason: `the transaction ${transactionId} ${problem}`,
      })
    },
  }
}

function problemOf(status: unknown): string | null {
  if (status === null || status === undefined) return 'does not exist on this network: check its id and SOLANA_RPC_URL'
  const { err, confirmationStatus } = status as { readonly err?: unknown; readonly confirmationStatus?: unknown }
  if (err !== null) return 'failed, so it paid nobody: submit the payout again and confirm with the new transaction'
  if (confirmationStatus === 'finalized') return null
  return `is not final yet (${String(confirmationStatus)}): confirm it again in a minute`
}

function unavailable(host: string, reason: string, cause: unknown): CrunchError {
  const message = `SOLANA_RPC_URL: ${host} cannot be asked for the transaction: ${reason}\n  fix: try again, or name another server`
  const publicReason = 'the chain cannot be asked for the transaction'
  return new CrunchError('CHAIN_UNAVAILABLE', message, { cause, publicReason })
}
