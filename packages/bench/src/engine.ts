// The engine's inner parts that a benchmark composes or clocks. Its package exports none of them: by file, then, and only here.
export { createVirtualClock, wallClock } from '../../coordinator-node/src/adapters/clock/clocks.ts'
export { createBinanceSource } from '../../coordinator-node/src/adapters/feeds/binance/create-binance-source.ts'
export { startFakeBinance } from '../../coordinator-node/src/adapters/feeds/binance/testing/start-fake-binance.ts'
export { appendToArchive } from '../../coordinator-node/src/adapters/feeds/parquet/append-to-archive.ts'
export { archiveFolder } from '../../coordinator-node/src/adapters/feeds/recording/series-path.ts'
export {
  runningState,
  startFakeOrchestrator,
} from '../../coordinator-node/src/adapters/model-runner/grpc/testing/fake-orchestrator.ts'
export { serveObject } from '../../coordinator-node/src/adapters/model-runner/grpc/testing/object-server.ts'
export { createInProcessRunner } from '../../coordinator-node/src/adapters/model-runner/in-process/in-process-runner.ts'
export { onlyEra } from '../../coordinator-node/src/domain/era.ts'
export type { FeedScope } from '../../coordinator-node/src/domain/feed-record.ts'
export { backfillWriter } from '../../coordinator-node/src/live/backfill/backfill-writer.ts'
export { runBackfill } from '../../coordinator-node/src/live/backfill/run-backfill.ts'
export { openLiveFeed } from '../../coordinator-node/src/live/feeds/live-feed.ts'
export { wallTiming } from '../../coordinator-node/src/live/follow/timing.ts'
export { connectModels } from '../../coordinator-node/src/live/workers/predict-worker.ts'
export type { WorkerContext } from '../../coordinator-node/src/live/workers/worker-context.ts'
export { createPipeline } from '../../coordinator-node/src/pipeline.ts'
export type { FeedSource, SourceRecord } from '../../coordinator-node/src/ports/feed-source.ts'
export type { Log } from '../../coordinator-node/src/ports/log.ts'
export { driveBatch } from '../../coordinator-node/src/recording/drive-recording.ts'
