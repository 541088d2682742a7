import type { ServedRoute } from '../http/serve-route.ts'
import { checkpoints, serveCheckpoints } from './checkpoints/checkpoints.ts'
import { rewards, serveRewards } from './checkpoints/rewards.ts'
import {
  checkpointPayload,
  latestCheckpoint,
  oneCheckpoint,
  serveCheckpointPayload,
  serveLatestCheckpoint,
  serveOneCheckpoint,
} from './checkpoints/single-checkpoints.ts'
import { diversity, modelDiversity, serveDiversity, serveModelDiversity } from './diversity/diversity.ts'
import { feedTail, serveFeedTail } from './feeds/feed-tail.ts'
import { feeds, serveFeeds } from './feeds/feeds.ts'
import { leaderboard, serveLeaderboard } from './leaderboard/leaderboard.ts'
import { modelActivity, serveModelActivity } from './models/model-activity.ts'
import { modelsParams, serveModelsParams } from './models/model-params.ts'
import {
  modelsGlobal,
  modelsMetrics,
  modelsSummary,
  serveModelsGlobal,
  serveModelsMetrics,
  serveModelsSummary,
} from './models/model-series.ts'
import { models, serveModels } from './models/models.ts'
import { oneModel, serveOneModel } from './models/one-model.ts'
import { eras, serveEras } from './node/eras.ts'
import { health, serveHealth } from './node/health.ts'
import { info, serveInfo } from './node/info.ts'
import { predictions, servePredictions } from './predictions/predictions.ts'
import {
  schema,
  schemaColumns,
  schemaWidgets,
  serveSchema,
  serveSchemaColumns,
  serveSchemaWidgets,
} from './schema/schema.ts'
import { ensembleHistory, serveEnsembleHistory } from './snapshots/ensemble-history.ts'
import { serveSnapshots, snapshots } from './snapshots/snapshots.ts'

/** Every route, for the types of clients. */
export const definitions = [
  ...([health, info, eras] as const),
  ...([schema, schemaColumns, schemaWidgets] as const),
  ...([leaderboard] as const),
  ...([models, oneModel, modelActivity, modelsGlobal, modelsParams, modelsMetrics, modelsSummary] as const),
  ...([predictions] as const),
  ...([feeds, feedTail] as const),
  ...([snapshots, ensembleHistory] as const),
  ...([diversity, modelDiversity] as const),
  ...([checkpoints, rewards, latestCheckpoint, oneCheckpoint, checkpointPayload] as const),
] as const

/** Every route with its handler, in the same order. */
export const allRoutes: readonly ServedRoute[] = [
  ...[serveHealth, serveInfo, serveEras],
  ...[serveSchema, serveSchemaColumns, serveSchemaWidgets],
  ...[serveLeaderboard],
  ...[serveModels, serveOneModel, serveModelActivity],
  ...[serveModelsGlobal, serveModelsParams, serveModelsMetrics, serveModelsSummary],
  ...[servePredictions],
  ...[serveFeeds, serveFeedTail],
  ...[serveSnapshots, serveEnsembleHistory],
  ...[serveDiversity, serveModelDiversity],
  ...[serveCheckpoints, serveRewards, serveLatestCheckpoint, serveOneCheckpoint, serveCheckpointPayload],
]
