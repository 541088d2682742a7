import type { ResolvedContract } from '../../contract/resolved-contract.ts'
import type { Instant } from '../../domain/time.ts'
import type { Log } from '../../ports/log.ts'
import type { RoundCursor, SettlementStore } from '../../ports/store-settlement.ts'
import { evidenceRequests } from './round-trust.ts'
import { settleRound } from './settle-round.ts'

export interface SettledRounds {
  readonly resolvedCount: number
  readonly voidCount: number
  readonly waitingCount: number
  /** Why the first waiting round has no truth yet; `null` if no round waits. */
  readonly waitingReason: string | null
}

/** Rounds of one transaction: large enough to be set-based, small enough to be held briefly. */
const batchSize = 200
/**
 * The most records that gates may load in one transaction, so that a gate over thousands takes several transactions
 * instead of more memory.
 */
const evidenceLimit = 20_000

/** Settles every round that is due at `now`, in batches, in order of `resolvableAt`. */
export async function settleRounds(
  resolved: ResolvedContract,
  ports: { readonly store: SettlementStore; readonly log: Log },
  now: Instant,
): Promise<SettledRounds> {
  const total = { resolvedCount: 0, voidCount: 0, waitingCount: 0 }
  let waitingReason: string | undefined
  const evidence = evidenceRequests(resolved)
  const recordCount = Math.max(0, ...evidence.map((request) => request.recordCount))
  const limit = Math.max(1, Math.min(batchSize, Math.floor(evidenceLimit / Math.max(1, 2 * recordCount))))
  const withRecords = resolved.contract.truth.records === true
  let after: RoundCursor | undefined
  do {
    const result = await ports.store.settleRounds(
      { now, limit, withRecords, evidence, ...(after && { after }) },
      (due) => {
        const settlement = settleRound(resolved, due, now)
        if (settlement.kind === 'wait') waitingReason ??= settlement.reason
        if (settlement.kind === 'void') {
          ports.log.warn('a round is void', { stage: 'score', roundId: due.round.id, reason: settlement.reason })
        }
        if (settlement.kind === 'resolved') warnOfFailures(ports.log, due.round.id, settlement.scores)
        return settlement
      },
    )
    total.resolvedCount += result.resolvedCount
    total.voidCount += result.voidCount
    total.waitingCount += result.waitingCount
    after = result.next ?? undefined
  } while (after !== undefined)
  return { ...total, waitingReason: waitingReason ?? null }
}

function warnOfFailures(log: Log, roundId: string, scores: readonly { reason: string | null }[]): void {
  const failed = scores.filter(({ reason }) => reason !== null)
  const first = failed[0]
  if (first !== undefined) {
    log.error('the contract could not score a prediction', {
      stage: 'score',
      roundId,
      failedCount: failed.length,
      reason: first.reason,
    })
  }
}
