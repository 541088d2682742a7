import { createVirtualClock } from '../adapters/clock/clocks.ts'
import { combineRunners } from '../adapters/model-runner/combine-runners.ts'
import { createInProcessRunner } from '../adapters/model-runner/in-process/in-process-runner.ts'
import { createMemoryStore, type StoreDump } from '../adapters/store/memory/memory-store.ts'
import type { AnyContract } from '../contract/crunch-contract.ts'
import { contractFeeds, resolveContract } from '../contract/resolved-contract.ts'
import type { Checkpoint } from '../domain/checkpoint.ts'
import type { Leaderboard } from '../domain/leaderboard.ts'
import type { ModelIdentity } from '../domain/models/model.ts'
import { floorToGrid } from '../domain/time.ts'
import { createPipeline } from '../pipeline.ts'
import type { FeedSource } from '../ports/feed-source.ts'
import { type Log, silentLog } from '../ports/log.ts'
import type { ModelRunner } from '../ports/model-runner.ts'
import { createHoleWatch, type SeriesHole } from '../stages/feed/watch-holes.ts'
import { driveBatch } from './drive-recording.ts'
import { resultsDigest } from './results-digest.ts'

/** A model that runs here is deployed by nothing but the simulation. */
type SimulatedIdentity = Omit<ModelIdentity, 'deploymentId'>

export interface SimulationOptions {
  readonly contract: AnyContract
  readonly source: FeedSource
  /** TypeScript objects with the methods that the contract calls. */
  readonly models: readonly { readonly identity: SimulatedIdentity; readonly model: object }[]
  /** Further models, as those behind the wire, with ids of their own. Its owner closes it. */
  readonly runner?: ModelRunner
  /** Awaited before each batch of records: models in processes of their own may need a moment that recorded time has not. */
  readonly beforeBatch?: () => Promise<void>
  /** Replaces the contract's time-out for models. */
  readonly timeoutMs?: number
  /** The cruncher whose models are the organizer's; `organizer` unless set. */
  readonly organizerCruncherId?: string
  readonly log?: Log
  /** Called now and then with the number of records done and where time has come to. */
  readonly onProgress?: (progress: { readonly recordCount: number; readonly at: number }) => void
  readonly signal?: AbortSignal
}

export interface SimulationResult {
  readonly leaderboard: Leaderboard | null
  /** Oldest first. */
  readonly checkpoints: readonly Checkpoint[]
  /** SHA-256 of all results: the same for the same recording, contract and models. */
  readonly digest: string
  readonly counts: {
    readonly records: number
    /** On the grids of candles, between the first and the last of a series. */
    readonly missingRecords: number
    /** Rows that say what an earlier row said. */
    readonly repeatedRecords: number
    /** Rows that contradict an earlier row of the same instant: kept apart, never applied. */
    readonly revisedRecords: number
    readonly rounds: number
    readonly voidRounds: number
    readonly predictions: number
    readonly scores: number
    readonly snapshots: number
  }
  /** Where records are missing: the first thousand stretches. */
  readonly holes: readonly SeriesHole[]
  /** Every row. */
  readonly rows: StoreDump
}

/** Runs a competition over a recording: the pipeline that runs live, on the memory store and a clock that the data carry. */
export async function simulate(options: SimulationOptions): Promise<SimulationResult> {
  const { contract, source, log = silentLog, signal = new AbortController().signal } = options
  const store = createMemoryStore()
  const clock = createVirtualClock()
  const local = createInProcessRunner(
    // Each a deployment of its own: models that share one would be taken for the same model under several ids.
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
  const predictor = await pipeline.openPredictor(runner)
  const { snapshotEveryMs } = resolveContract(contract)
  const scopes = contractFeeds(contract).map((feed) => feed.scope)
  const holeWatch = createHoleWatch(log)
  let recordCount = 0
  let settledCell = Number.NaN
  for await (const batch of source.stream(scopes, new Map(), signal)) {
    await options.beforeBatch?.()
    await driveBatch(pipeline, predictor, clock, batch)
    for (const record of batch) holeWatch.note(record)
    recordCount += batch.length
    const cell = floorToGrid(clock.now(), snapshotEveryMs)
    // Cadence never changes results; once a period is often enough to keep what waits small.
    if (cell === settledCell) continue
    settledCell = cell
    await pipeline.settle()
    await pipeline.checkpoint()
    options.onProgress?.({ recordCount, at: clock.now() })
  }
  await pipeline.settle()
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
    holes: holeWatch.holes(),
    rows,
  }
}
