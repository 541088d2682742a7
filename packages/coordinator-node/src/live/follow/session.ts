import type { FeedSource, SourceRecord } from '../../ports/feed-source.ts'
import type { Log } from '../../ports/log.ts'
import type { FollowedSeries } from './followed-series.ts'
import type { Patience, Timing } from './timing.ts'

export interface Follower {
  readonly source: FeedSource
  readonly series: readonly FollowedSeries[]
  readonly log: Log
  readonly timing: Timing
  readonly patience: Patience
  /** Called when a connection is open. */
  readonly onConnected: () => Promise<void>
}

/** State shared by the parts of one session. */
export interface Session extends Follower {
  /** `false` once the reader of the session has stopped. */
  readonly emit: (records: readonly SourceRecord[]) => Promise<boolean>
  /** Aborts when the session is over, whether it ended or failed. */
  readonly ending: AbortSignal
  /** Whether history answers. While it does not, new records do not wait for it. */
  historyAnswers: boolean
}
