import { createVirtualClock } from '../adapters/clock/clocks.ts'
import { combineRunners } from '../adapters/model-runner/combine-runners.ts'
import { createInProcessRunner } from '../adapters/model-runner/in-process/in-process-runner.ts'
import { createMemoryStore, type StoreDump } from '../adapters/store/memory/memory-store.ts'
import type { AnyContract } from '../contract/crunch-contract.ts'
import { contractFeeds, resolveContract } from '../contract/resolved-contract.ts'
import type { Checkpoint } from '../domain/checkpoint.ts'
import type { Leaderboard } from '../domain/leaderboard.ts'
import type { ModelIdentity } from '../domain/models/model.ts'
import type { Refusal } from '../domain/progress/refusal.ts'
import { floorToGrid } from '../domain/time.ts'
import { createPipeline } from '../pipeline.ts'
import type { FeedSource } from '../ports/feed-source.ts'
import { type Log, silentLog } from '../ports/log.ts'
import type { ModelRunner } from '../ports/model-runner.ts'
import { driveBatch } from '../recording/drive-recording.ts'
import { createHoleWatch, type SeriesHole } from '../recording/watch-holes.ts'
import { resultsDigest } from './results-digest.ts'
import { countInputRefusals, runOutcome } from './run-outcome.ts'

/** Deployment id of the simulation's own models. */
type SimulatedIdentity = Omit<ModelIdentity, 'deploymentId'>

/** Options of {@link simulate}. */
export interface SimulationOptions {
  /** The competition to simulate. */
  readonly contract: AnyContract
  /** The records, e.g. `createRecordingSource(…)`. Its `stream` must end. */
  readonly source: FeedSource
  /** TypeScript objects with the methods that the contract calls; ids must be unique. */
  readonly models: readonly { readonly identity: SimulatedIdentity; readonly model: object }[]
  /** Further models, e.g. in other processes; ids must be unique. The caller closes the runner. */
  readonly runner?: ModelRunner
  /** Awaited before each batch of records, e.g. until models in other processes have restarted. */
  readonly beforeBatch?: () => Promise<void>
  /** Replaces the contract's `prediction.timeout`, in milliseconds of wall time. */
  readonly timeoutMs?: number
  /** The cruncher whose models are the organizer's. Default: `organizer`. */
  readonly organizerCruncherId?: string
  /** Default: no log. */
  readonly log?: Log
  /** Called once per snapshot period with the number of records read and the simulated time. */
  readonly onProgress?: (progress: { readonly recordCount: number; readonly at: number }) => void
  /** Ends the simulation early; the result then covers the records read so far. */
  readonly signal?: AbortSignal
}

/** What a simulation computed. */
export interface SimulationResult {
  /** The newest leaderboard; `null` if no snapshot period has closed. */
  readonly leaderboard: Leaderboard | null
  /** Oldest first. */
  readonly checkpoints: readonly Checkpoint[]
  /** SHA-256 of all results: the same for the same recording, contract and models. */
  readonly digest: string
  /** Number of rows by kind. */
  readonly counts: {
    /** Records that the source delivered. */
    readonly records: number
    /** Candles that are missing between the first and the last of their series. */
    readonly missingRecords: number
    /** Records that repeat an earlier one. */
    readonly repeatedRecords: number
    /** Records that contradict an earlier one of the same instant; they are not applied. */
    readonly revisedRecords: number
    /** Rounds, void ones included. */
    readonly rounds: number
    /** Rounds without a truth; they count for no model. */
    readonly voidRounds: number
    /** Rows of predictions: one per model and round, missing answers included. */
    readonly predictions: number
    /** Scores: valid, imputed and failed ones. */
    readonly scores: number
    /** Snapshots: one per model and period. */
    readonly snapshots: number
  }
  /** Refusals and exceptions of the contract, for inputs, truths and scores; empty if there are none. */
  readonly refusals: readonly Refusal[]
  /** Why nothing was predicted or scored; `null` when something was scored. */
  readonly failure: string | null
  /** The first thousand gaps in series of candles. */
  readonly holes: readonly SeriesHole[]
  /** Every row of the memory store. */
  readonly rows: StoreDump
}

/**
 * Runs a competition over recorded data: the live pipeline on the memory store, with a clock driven by the records. The same
 * source, contract and models give the same `digest`. Exceptions of models are recorded as failures, as in a live node. Rejects
 * with the error of the source, or a `TypeError` if two models have the same id. Does not validate the contract; `crunch check` does.
 */
export async function simulate(options: SimulationOptions): Promise<SimulationResult> {
  const { contract, source, signal = new AbortController().signal } = options
  const inputs = countInputRefusals(options.log ?? silentLog)
  const { log } = inputs
  const store = createMemoryStore()
  const clock = createVirtualClock()
  const local = createInProcessRunner(
    // Each model gets its own deployment id: models with a common one would count as one model under several ids.
    options.models.map(({ identity, model }) => ({
      identity: { ...identity, deploymentId: `simulation-${identity.id}` },
      model,
    })),
  )
  const runner = options.runner === undefined ? local : combineRunners([options.runner, local])
  const { timeoutMs, organizerCruncherId } = options
  const pipeline = createPipeline(
    contract,
    { store, clock, log },
    {
      ...(timeoutMs === undefined ? {} : { timeoutMs }),
      ...(organizerCruncherId === undefined ? {} : { organizerCruncherId }),
    },
  )
  const clockRounds = await pipeline.openPredictor(runner)
  const { snapshotEveryMs } = resolveContract(contract)
  const scopes = contractFeeds(contract).map((feed) => feed.scope)
  const holeWatch = createHoleWatch(log)
  let recordCount = 0
  let settledCell = Number.NaN
  for await (const batch of source.stream(scopes, new Map(), signal)) {
    await options.beforeBatch?.()
    await driveBatch(pipeline, clockRounds, clock, batch)
    for (const record of batch) holeWatch.note(record)
    recordCount += batch.length
    const cell = floorToGrid(clock.now(), snapshotEveryMs)
    // Cadence never changes results; once per period is often enough to keep the number of waiting rounds small.
    if (cell === settledCell) continue
    settledCell = cell
    await pipeline.settle()
    await pipeline.checkpoint()
    options.onProgress?.({ recordCount, at: clock.now() })
  }
  const { waitingReason } = await pipeline.settle()
  await pipeline.checkpoint()
  await local.close()
  const rows = store.dump()
  const states = await store.feedStates()
  const revisedRecords = states.reduce((sum, { revisionCount }) => sum + revisionCount, 0)
  const keptRecords = states.reduce((sum, state) => sum + state.recordCount, 0)
  return {
    leaderboard: rows.leaderboards.at(-1) ?? null,
    checkpoints: rows.checkpoints,
    digest: resultsDigest(rows),
    counts: {
      records: recordCount,
      missingRecords: holeWatch.missingCount(),
      repeatedRecords: recordCount - keptRecords - revisedRecords,
      revisedRecords,
      rounds: rows.rounds.length,
      voidRounds: rows.rounds.filter((round) => round.voidReason !== null).length,
      predictions: rows.predictions.length,
      scores: rows.scores.length,
      snapshots: rows.snapshots.length,
    },
    ...runOutcome(await store.runFacts(), inputs, waitingReason),
    holes: holeWatch.holes(),
    rows,
  }
}
