// What our own command line and tests use. Nothing here is promised to anyone else.

export { wallClock } from './adapters/clock/clocks.ts'
export {
  checkEmbeddedPostgres,
  type EmbeddedPostgres,
  EmbeddedPostgresError,
  embeddedPostgresStatus,
  startEmbeddedPostgres,
  stopEmbeddedPostgres,
} from './adapters/embedded-postgres/index.ts'
export { archiveDays, createRecordingSource, isArchiveFolder } from './adapters/feeds/recording/index.ts'
export { recordingName } from './adapters/feeds/recording/series-path.ts'
export { connectModelRunner, type GrpcModelRunner } from './adapters/model-runner/grpc/index.ts'
export { openPostgresStore } from './adapters/store/postgres/postgres-store.ts'
export { checkDatabase } from './adapters/store/postgres/schema/check-database.ts'
export type { AnyContract } from './contract/crunch-contract.ts'
export { contractFeeds, resolveContract } from './contract/resolved-contract.ts'
export { type BackfillJob, newBackfillJob } from './domain/backfill-job.ts'
export type { Checkpoint, CheckpointEntry } from './domain/checkpoint.ts'
export { CrunchError, type CrunchErrorCode } from './domain/errors.ts'
export { type FeedScope, feedScopeKey } from './domain/feed-record.ts'
export type { Leaderboard, LeaderboardEntry } from './domain/leaderboard.ts'
export type { ModelIdentity } from './domain/models/model.ts'
export { refusalOfName } from './domain/models/model-role.ts'
export { nearestName } from './domain/nearest-name.ts'
export { durationMs, formatDuration, formatInstant } from './domain/time.ts'
export { backfill } from './live/backfill/backfill.ts'
export type { BackfillProgress } from './live/backfill/run-backfill.ts'
export { beginNewEra, type NewEra } from './live/eras/begin-era.ts'
export { compareStoredContract } from './live/eras/compare-stored-contract.ts'
export { hashContractCode } from './live/eras/hash-contract-code.ts'
export { liveSources } from './live/feeds/live-sources.ts'
export { wallTiming } from './live/follow/timing.ts'
export { loadContract } from './live/load-contract.ts'
export { followRecording } from './live/record/follow-recording.ts'
export { writeRecording } from './live/record/write-recording.ts'
export { readSettings, type Settings, unreadKeys } from './live/settings.ts'
export { steadyNodeArguments, workerCommand } from './live/workers/worker-command.ts'
export { type WorkerName, workerNames } from './live/workers/worker-context.ts'
export { type Log, silentLog } from './ports/log.ts'
export type { ModelAnswer, ModelCall, ModelRunner } from './ports/model-runner.ts'
export type { Store } from './ports/store.ts'
export { clipSource } from './simulation/clip-source.ts'
export { contractRecording } from './simulation/contract-recording.ts'
export { type Rehearsal, type RehearsedCall, rehearseRound } from './simulation/rehearse-round.ts'
export { type SimulationOptions, type SimulationResult, simulate } from './simulation/simulate.ts'
