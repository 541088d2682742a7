import type { ResolvedContract } from '../../contract/resolved-contract.ts'
import { feedScopeKey, isSameScope } from '../../domain/feed-record.ts'
import { type FeedPeer, gateRecordCount, judgeSeries } from '../../domain/feed-trust.ts'
import { formatInstant, type Instant } from '../../domain/time.ts'
import type { DueRound, EvidenceRequest, RoundEvidence } from '../../ports/store-settlement.ts'

/** The evidence that settling needs to judge the gates of a contract; empty without a gate. */
export function evidenceRequests(resolved: ResolvedContract): EvidenceRequest[] {
  return resolved.feeds.flatMap(({ scope, gate }) =>
    gate === null ? [] : [{ scope, recordCount: gateRecordCount(gate), peer: gate.agree?.peer.scope ?? null }],
  )
}

/**
 * Why a round cannot be scored: its series was not trusted at the prediction or at the horizon. `null` if it was trusted at both.
 * Waits for records of the reference series until the round expires.
 */
export function roundDistrust(resolved: ResolvedContract, due: DueRound, now: Instant): string | null {
  const { round, evidence } = due
  const gate = resolved.feeds.find(({ scope }) => isSameScope(scope, round.scope))?.gate ?? null
  if (gate === null) return null
  if (evidence === null) throw new Error(`the store gave no evidence for the gate of ${feedScopeKey(round.scope)}`)
  if (gate.agree !== null && now < round.expiresAt && !hasReached(gate.agree.peer, evidence, round.resolvableAt)) {
    return `${feedScopeKey(gate.agree.peer.scope)} is not known up to the horizon yet`
  }
  const entry = judgeSeries(gate, evidence.entry.records, evidence.entry.peer, round.performedAt)
  if (entry !== null) return describe('when the prediction was made', round.performedAt, entry.reason)
  const exit = judgeSeries(gate, evidence.exit.records, evidence.exit.peer, round.resolvableAt)
  return exit === null ? null : describe('at the horizon', round.resolvableAt, exit.reason)
}

/** Whether nothing more can become known of a series as of an instant; the next candle is known one granularity after the last. */
function hasReached({ scope, granularityMs }: FeedPeer, { peerWatermarkAt }: RoundEvidence, at: Instant): boolean {
  if (peerWatermarkAt === null) return false
  return peerWatermarkAt >= at || (scope.kind === 'candle' && peerWatermarkAt + granularityMs > at)
}

function describe(when: string, at: Instant, reason: string): string {
  return `the feed was not trusted ${when} (${formatInstant(at)}): ${reason}`
}
