import { serveStream } from '../live/stream.ts'
import { serveMetrics } from '../operations/metrics.ts'
import { serveOperations } from '../operations/operations.ts'
import { serveReadiness } from '../operations/readiness.ts'
import { serveServiceLogs } from '../operations/service-logs.ts'
import { serveTimingMetrics } from '../operations/timing-metrics.ts'
import { serveBackfillFeeds, serveBackfillJobs, serveOneBackfillJob } from './backfill/backfill.ts'
import { serveDataFile, serveDataIndex } from './backfill/data-routes.ts'
import { serveCancelBackfill, serveRequestBackfill } from './backfill/request-backfill.ts'
import { serveCheckpoints } from './checkpoints/checkpoints.ts'
import {
  serveCheckpointEmission,
  serveCheckpointPrizes,
  serveCheckpointStatus,
  serveCliFormat,
  serveConfirmCheckpoint,
  serveLatestEmission,
  serveLatestPrizes,
} from './checkpoints/payout-routes.ts'
import { serveCheckpointPreview } from './checkpoints/preview.ts'
import { serveRewards } from './checkpoints/rewards.ts'
import { serveCheckpointPayload, serveLatestCheckpoint, serveOneCheckpoint } from './checkpoints/single-checkpoints.ts'
import { serveCompetition } from './competition/competition.ts'
import { serveDiversity, serveModelDiversity } from './diversity/diversity.ts'
import { serveFeedSeries } from './feeds/feed-series.ts'
import { serveFeedTail } from './feeds/feed-tail.ts'
import { serveFeeds } from './feeds/feeds.ts'
import { serveLeaderboard } from './leaderboard/leaderboard.ts'
import { serveLeaderboardTrends } from './leaderboard/trends.ts'
import { serveModelActivity } from './models/model-activity.ts'
import { serveModelFailures } from './models/model-failures.ts'
import { serveModelHistory } from './models/model-history.ts'
import { serveModelLogs } from './models/model-logs.ts'
import { serveModelOutcomes } from './models/model-outcomes.ts'
import { serveModelsParams } from './models/model-params.ts'
import { serveModelPayouts } from './models/model-payouts.ts'
import { serveModelsGlobal, serveModelsMetrics, serveModelsSummary } from './models/model-series.ts'
import { serveModels } from './models/models.ts'
import { serveOneModel } from './models/one-model.ts'
import { serveEras } from './node/eras.ts'
import { serveHealth } from './node/health.ts'
import { serveInfo } from './node/info.ts'
import { serveOnePrediction } from './predictions/one-prediction.ts'
import { servePredictions } from './predictions/predictions.ts'
import { serveTrace } from './predictions/trace.ts'
import { serveOneRound } from './rounds/one-round.ts'
import { serveRounds } from './rounds/rounds.ts'
import { serveSchema, serveSchemaColumns, serveSchemaWidgets } from './schema/schema.ts'
import { serveEnsembleHistory } from './snapshots/ensemble-history.ts'
import { serveOneSnapshot, serveSnapshots } from './snapshots/snapshots.ts'

/** Every route. Their definitions are the types of the client. */
export const allRoutes = [
  ...[
    serveHealth,
    serveReadiness,
    serveMetrics,
    serveOperations,
    serveServiceLogs,
    serveTimingMetrics,
    serveInfo,
    serveEras,
    serveCompetition,
  ],
  ...[serveSchema, serveSchemaColumns, serveSchemaWidgets],
  ...[serveLeaderboard, serveLeaderboardTrends, serveStream],
  ...[serveModels, serveOneModel, serveModelActivity, serveModelFailures, serveModelLogs],
  ...[serveModelHistory, serveModelOutcomes, serveModelPayouts],
  ...[serveModelsGlobal, serveModelsParams, serveModelsMetrics, serveModelsSummary],
  ...[servePredictions, serveOnePrediction, serveTrace, serveRounds, serveOneRound],
  ...[serveFeeds, serveFeedSeries, serveFeedTail],
  ...[serveSnapshots, serveOneSnapshot, serveEnsembleHistory],
  ...[serveDiversity, serveModelDiversity],
  ...[
    serveCheckpoints,
    serveCheckpointPreview,
    serveRewards,
    serveLatestCheckpoint,
    serveOneCheckpoint,
    serveCheckpointPayload,
  ],
  ...[serveCheckpointEmission, serveLatestEmission, serveCliFormat, serveCheckpointPrizes, serveLatestPrizes],
  ...[serveConfirmCheckpoint, serveCheckpointStatus],
  ...[serveBackfillFeeds, serveBackfillJobs, serveOneBackfillJob, serveRequestBackfill, serveCancelBackfill],
  ...[serveDataIndex, serveDataFile],
] as const

export type AnyRoute = (typeof allRoutes)[number]['definition']
