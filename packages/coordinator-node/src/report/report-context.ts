import type { Direction, NewcomerPolicy } from '../domain/leaderboard.ts'
import type { Organizer } from '../domain/model-role.ts'
import type { Instant } from '../domain/time.ts'
import type { Clock } from '../ports/clock.ts'
import type { Log } from '../ports/log.ts'
import type { ReportReads, Store } from '../ports/store.ts'

/** Who this node is. */
export interface ReportInfo {
  readonly crunchId: string
  /** On chain; empty while the operator has not set it. */
  readonly crunchAddress: string
  readonly network: string
  readonly version: string
}

/** What the API has to know of the contract, so that every row has every column. */
export interface ReportContract {
  /** Scope keys of its series. The tables may hold others: backfilled ones, and those of an earlier contract. */
  readonly feeds: readonly string[]
  /** Names, in the contract's order. */
  readonly windows: readonly string[]
  readonly rankBy: string
  readonly direction: Direction
  readonly newcomers: NewcomerPolicy
  /** The share of a window's rounds that a model has to have answered to be ranked. */
  readonly minRankCoverage: number
  /** The share of a checkpoint's rounds that a model has to have answered to be paid. */
  readonly minPayCoverage: number
  readonly organizer: Organizer
  /** The field of a score by which models are ranked. */
  readonly value: string
  readonly metrics: readonly string[]
  /** Fields of a score that are numbers; `value` is one of them. */
  readonly scoreFields: readonly string[]
}

/** What health needs to know that is not in the feeds' states. */
export interface WorkerHealth {
  /** When a worker last said that it works; `null` when none ever did. */
  readonly newestHeartbeatAt: Instant | null
  /** Whatever else is wrong, each in one sentence for the operator. */
  readonly reasons: readonly string[]
}

export interface ReportContext {
  readonly reads: ReportReads
  /** What health reads with, so that it answers in time whatever the database does; absent: `reads`. */
  readonly probe?: Store['probe']
  readonly info: ReportInfo
  readonly contract: ReportContract
  readonly clock: Clock
  /** Uncaught errors go there, never to the client. */
  readonly log: Log
  /** Absent: only the feeds are looked at. */
  readonly health?: () => Promise<WorkerHealth>
}
