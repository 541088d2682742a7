import { feedScopeKey } from '../feed-record.ts'
import { describeLength, formatInstant, type Instant } from '../time.ts'
import type { NodeProgress } from './pipeline-progress.ts'

/** A clock that must be wrong. */
export interface ClockFault {
  /** Constant while the same fault lasts. */
  readonly key: string
  readonly what: string
  readonly heldUpBy: string
  readonly fix: string
}

const setClock = 'set the clock of this machine (NTP: timedatectl set-ntp true)'

/**
 * The fault if this machine's clock is behind the stored rows, else `null`. A row from the future can only come from a
 * clock that was ahead, or from this one being behind.
 */
export function clockBehindRows(
  progress: Pick<NodeProgress, 'feeds' | 'lastRoundTimes' | 'lastPeriodEnd' | 'lastCheckpointEnd'>,
  now: Instant,
  toleranceMs: number,
): ClockFault | null {
  const [newest] = storedInstants(progress).sort((left, right) => right.at - left.at)
  if (newest === undefined || newest.at - now <= toleranceMs) return null
  return {
    key: 'behind rows',
    what: `this machine's clock is ${describeLength(newest.at - now)} behind the newest ${newest.what}, of ${formatInstant(newest.at)}`,
    heldUpBy: 'until the clock passes that instant, records are refused as from the future and no round opens',
    fix: `${setClock}; no other action is needed`,
  }
}

/** The same check against the database server's clock, which was read between two readings of this one. */
export function clockBesideStore(
  storeAt: Instant | null,
  before: Instant,
  after: Instant,
  toleranceMs: number,
): ClockFault | null {
  if (storeAt === null) return null
  const [aheadMs, behindMs] = [before - storeAt, storeAt - after]
  if (Math.max(aheadMs, behindMs) <= toleranceMs) return null
  const difference = behindMs > 0 ? `${describeLength(behindMs)} behind` : `${describeLength(aheadMs)} ahead of`
  return {
    key: 'beside store',
    what: `this machine's clock is ${difference} that of the database server, ${formatInstant(storeAt)}`,
    heldUpBy: 'one of the two clocks is wrong, and this one decides when rounds open and settle',
    fix: `${setClock}, or that of the database server`,
  }
}

interface StoredInstant {
  readonly what: string
  readonly at: Instant
}

function storedInstants(progress: Parameters<typeof clockBehindRows>[0]): StoredInstant[] {
  const { feeds, lastRoundTimes, lastPeriodEnd, lastCheckpointEnd } = progress
  return [
    ...feeds.flatMap(({ scope, watermarkAt }) =>
      watermarkAt === null ? [] : [{ what: `record (${feedScopeKey(scope)})`, at: watermarkAt }],
    ),
    ...[...lastRoundTimes].map(([key, at]) => ({ what: `round (${key})`, at })),
    ...(lastPeriodEnd === null ? [] : [{ what: 'leaderboard', at: lastPeriodEnd }]),
    ...(lastCheckpointEnd === null ? [] : [{ what: 'checkpoint', at: lastCheckpointEnd }]),
  ]
}
