import type { FeedRecord } from '../domain/feed-record.ts'
import type { Instant } from '../domain/time.ts'

/** A worker's heartbeat. */
export interface WorkerBeat {
  readonly worker: string
  /** The next one comes within this time, unless the worker is stuck. */
  readonly nextWithinMs: number
  /** Whether it has finished a pass over its work since the last one. */
  readonly hasWorked: boolean
  /** Why its newest pass failed, such as code of the contract that throws; `null` when it did not. */
  readonly problem: string | null
}

/** The lease of the one process that opens rounds. */
export const predictLease = 'predict'

export interface Lease {
  /** Resolves with the reason when it was lost other than by `release` or `close`. */
  readonly lost: Promise<string>
  /** Its previous state, when its last holder did not release it. */
  readonly takenFrom: LeaseState | null
  release(): Promise<void>
}

export interface LeaseState {
  /** Host and process; `null`: it was released. */
  readonly holder: string | null
  readonly takenAt: Instant
  /** When its holder last wrote a heartbeat, or released it. */
  readonly heartbeatAt: Instant
  /** How long ago that is, by the store's own clock. */
  readonly silentMs: number
}

/**
 * What a write changed: a list, or a round with its predictions by its id. `all`: more than can be listed. It says where to read, not
 * what is there now.
 */
export type Change = 'leaderboard' | 'feeds' | 'checkpoints' | 'models' | 'all' | `round:${string}`

export interface ChangeListener {
  changed(change: Change): void
  /** The announcements were interrupted and have started again: changes may have been missed. */
  missed(): void
}

/** Communication between the workers of a node. */
export interface WorkerStore {
  /**
   * Delivers every record inserted from now on, by any process, to `listener` in order of insertion. The returned function
   * ends the subscription. Only stores opened with `announceRecords` announce their records to other processes.
   */
  subscribeRecords(listener: (records: readonly FeedRecord[]) => void): Promise<() => Promise<void>>
  /**
   * Announces changes that any process makes from now on, soon after they are stored, each at least once. A writer that dies between
   * its write and its announcement leaves the change unannounced. The returned function ends the subscription.
   */
  subscribeChanges(listener: ChangeListener): Promise<() => Promise<void>>
  /**
   * Takes the named lease for as long as this store is open and reachable; `null` while another process holds it.
   * It is released at once when its holder dies, and within 30 s when the network to its holder is broken; the holder has then
   * stopped itself. Once another process has taken over `predictLease`, all writes of a predict worker (schedules, models and
   * their retirements, rounds, answers, heartbeats) by the previous store are refused with `LEASE_HELD`.
   */
  takeLease(name: string): Promise<Lease | null>
  /** Stores a worker's heartbeat. Only the newest heartbeat of a worker counts, even if another process wrote it. */
  beat(heartbeat: WorkerBeat): Promise<void>
}
