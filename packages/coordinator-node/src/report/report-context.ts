import type { Registry } from 'prom-client'
import type { ContractVersion, Era } from '../domain/era.ts'
import type { Direction, NewcomerPolicy } from '../domain/leaderboard.ts'
import type { Organizer } from '../domain/models/model-role.ts'
import type { Instant } from '../domain/time.ts'
import type { Clock } from '../ports/clock.ts'
import type { Log } from '../ports/log.ts'
import type { PreviewCheckpoint } from '../ports/payout/checkpoint-preview.ts'
import type { Payouts } from '../ports/payout/payouts.ts'
import type { ReportReads } from '../ports/reads/report-reads.ts'
import type { Store } from '../ports/store.ts'
import type { BackfillStore } from '../ports/store-backfill.ts'
import type { AccessSettings } from './access/access-settings.ts'
import type { Reveal } from './access/viewer.ts'
import type { DataFiles } from './data-files.ts'
import type { LiveSource } from './live/live-source.ts'
import type { CustomApps } from './operations/custom-apps.ts'
import type { CompetitionFacts } from './routes/competition/competition-schema.ts'

/** Identity of this node. */
export interface ReportInfo {
  readonly crunchId: string
  /** On chain; empty while the operator has not set it. */
  readonly crunchAddress: string
  readonly network: string
  readonly version: string
  /** The era that it has entered, and the version of the contract's code that it runs. */
  readonly era: Pick<Era, 'number' | 'beganAt'>
  readonly contractVersion: ContractVersion
}

/** The parts of the contract that the API needs, so that every row has every column. */
export interface ReportContract {
  /** Scope keys of its series. The tables may contain others: backfilled ones, and those of an earlier contract. */
  readonly feeds: readonly string[]
  /** Names, in the contract's order. */
  readonly windows: readonly string[]
  /** The length of each window. */
  readonly windowMs: Readonly<Record<string, number>>
  /** How far the input of a round looks back. */
  readonly inputWindowMs: number
  /** The length of a snapshot period. */
  readonly snapshotEveryMs: number
  readonly rankBy: string
  readonly direction: Direction
  readonly newcomers: NewcomerPolicy
  /** The share of a window's rounds that a model must have answered to be ranked. */
  readonly minRankCoverage: number
  /** Whether the contract orders the models itself, so that they are not in the order of their values. */
  readonly hasOwnOrder: boolean
  /** The share of a checkpoint's rounds that a model must have answered to be paid. */
  readonly minPayCoverage: number
  readonly organizer: Organizer
  /** When answers become public. */
  readonly reveal: Reveal
  /** The field of a score by which models are ranked. */
  readonly value: string
  readonly metrics: readonly string[]
  /** Fields of a score that are numbers; `value` is one of them. */
  readonly scoreFields: readonly string[]
  /** Its rules, for people. */
  readonly competition: CompetitionFacts
}

/** An overdue event; `since` is in pipeline time. */
export interface Standstill {
  readonly stage: string
  readonly what: string
  readonly since: Instant
  readonly heldUpBy: string
  readonly fix: string
}

/** Inputs of health besides the states of the feeds. */
export interface ProgressReport {
  readonly alarms: readonly Standstill[]
  /** Notes that are not faults. */
  readonly notes: readonly string[]
}

/**
 * The newest lines of a model's log, oldest first; `null` if there is none. `run`: the id of a run, or of a model for its newest
 * run. Rejects with `ORCHESTRATOR_UNAVAILABLE`.
 */
export type ModelLines = (run: string, kind: 'runner' | 'builder') => Promise<readonly string[] | null>

/** What the API needs to ask the node for the past of a series. */
export interface BackfillRequests extends Pick<BackfillStore, 'addBackfillJob' | 'moveBackfillJob'> {
  /** Where Parquet files are written. */
  readonly directory: string
  /** Names of the contract's sources, which the feed-data worker has opened. */
  readonly sources: readonly string[]
}

export interface ReportContext {
  /** Absent: nothing can be fetched or cancelled. */
  readonly backfills?: BackfillRequests
  /** Absent: the routes of data files answer 404. */
  readonly dataFiles?: DataFiles
  /** Payouts on their way to the chain; absent: their routes answer 404. */
  readonly payouts?: Payouts
  /** Absent: its route answers 404. */
  readonly previewCheckpoint?: PreviewCheckpoint
  readonly reads: ReportReads
  /** Reads for health that end in time in any state of the database; absent: `reads`. */
  readonly probe?: Store['probe']
  readonly info: ReportInfo
  readonly contract: ReportContract
  readonly clock: Clock
  /** Absent: there is no stream of events. */
  readonly live?: LiveSource
  /** Absent: logs of models cannot be read. */
  readonly modelLines?: ModelLines
  /** The folder with the log files of the services. Absent: their route answers 404. */
  readonly logDirectory?: string
  /** Absent: there are none. */
  readonly custom?: CustomApps
  /** What `/metrics` shows besides the stored rows; absent: nothing. */
  readonly metrics?: Registry
  /** Absent: only the stored keys restrict the API. */
  readonly access?: AccessSettings
  /** The folder of the built page. Absent: the one that belongs to this code. */
  readonly pageFolder?: string
  /** Receives uncaught errors, which are never sent to the client. */
  readonly log: Log
  /**
   * The result of the last check of the pipeline. It never waits for the database. Absent: only the feeds are checked.
   */
  readonly progress?: () => ProgressReport
}
