import type { ResolvedContract } from '../../contract/resolved-contract.ts'
import { floorToGrid, type Instant } from '../../domain/time.ts'
import type { Clock } from '../../ports/clock.ts'
import { type CheckpointPreview, maxOpenRounds, type PreviewCheckpoint } from '../../ports/payout/checkpoint-preview.ts'
import type { Store } from '../../ports/store.ts'
import type { Payees } from '../../stages/checkpoint/close-checkpoint.ts'
import { type CheckpointReads, readCheckpoint } from '../../stages/checkpoint/read-checkpoint.ts'
import { createScoreLedger } from '../../stages/leaderboard/score-ledger.ts'

/** A month of a thousand models takes seconds to add up. */
const keptForMs = 5_000

type Closing = Omit<CheckpointPreview, 'openRounds'>

export interface PreviewParts {
  readonly resolved: ResolvedContract
  readonly store: CheckpointReads &
    Pick<Store, 'firstResolvableAt' | 'lastCheckpointEnd' | 'lastPeriodEnd' | 'periodResults' | 'roundSummaries'>
  readonly payees: Payees
  readonly clock: Pick<Clock, 'refresh'>
  /** A clock that never goes back. */
  readonly monotonicMs: () => number
}

/**
 * The code that closes a checkpoint, over the part of its period that has results, without writing. One computation runs at a time,
 * at most every few seconds, also while it fails, and only after a snapshot or a checkpoint has closed.
 */
export function createCheckpointPreview(parts: PreviewParts): PreviewCheckpoint {
  const { store, monotonicMs } = parts
  const scoresOf = createScoreLedger(parts.resolved, store).of
  let last: { readonly atMs: number; readonly preview: Promise<CheckpointPreview> } | undefined
  let computed: { readonly key: string; readonly preview: Closing } | undefined

  async function compute(): Promise<CheckpointPreview> {
    const [periodEnd, checkpointEnd] = await Promise.all([store.lastPeriodEnd(), store.lastCheckpointEnd()])
    const key = `${periodEnd} ${checkpointEnd}`
    if (computed?.key !== key) {
      computed = { key, preview: await previewOf(parts, scoresOf, periodEnd, checkpointEnd) }
    }
    const { preview } = computed
    return { ...preview, openRounds: await openRounds(parts, preview) }
  }

  return () => {
    if (last === undefined || monotonicMs() - last.atMs >= keptForMs) {
      const before = last?.preview.catch(() => undefined)
      last = { atMs: monotonicMs(), preview: Promise.resolve(before).then(compute) }
    }
    return last.preview
  }
}

async function previewOf(
  { resolved, store, payees, clock }: PreviewParts,
  scoresOf: ReturnType<typeof createScoreLedger>['of'],
  periodEnd: Instant | null,
  checkpointEnd: Instant | null,
): Promise<Closing> {
  const now = await clock.refresh()
  const closedThrough = Math.max(resolved.era.beganAt, checkpointEnd ?? 0)
  // As the checkpoint will: periods without a round are passed over.
  const first = (await store.firstResolvableAt(closedThrough)) ?? Math.max(now, closedThrough)
  const cell = floorToGrid(first, resolved.checkpointEveryMs)
  const start = Math.max(cell, closedThrough)
  const endsAt = cell + resolved.checkpointEveryMs
  const end = Math.min(endsAt, Math.max(start, periodEnd ?? start))
  return { checkpoint: await readCheckpoint(resolved, { store, scoresOf }, payees, { start, end }, now), endsAt }
}

async function openRounds({ resolved, store }: PreviewParts, { checkpoint, endsAt }: Closing) {
  const { value: field, direction } = resolved.contract.leaderboard
  const found = await store.roundSummaries({
    ...{ from: Number.NEGATIVE_INFINITY, to: Number.POSITIVE_INFINITY, state: 'open', scope: {}, after: null },
    ...{ limit: maxOpenRounds, bestBy: { field, direction } },
  })
  return found.filter(({ round: { resolvableAt } }) => resolvableAt >= checkpoint.periodStart && resolvableAt < endsAt)
}
