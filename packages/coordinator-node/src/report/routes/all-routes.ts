import type { ServedRoute } from '../http/serve-route.ts'
import { checkpoints, serveCheckpoints } from './checkpoints/checkpoints.ts'
import { feeds, serveFeeds } from './feeds/feeds.ts'
import { leaderboard, serveLeaderboard } from './leaderboard/leaderboard.ts'
import { modelActivity, serveModelActivity } from './models/model-activity.ts'
import { models, serveModels } from './models/models.ts'
import { eras, serveEras } from './node/eras.ts'
import { health, serveHealth } from './node/health.ts'
import { info, serveInfo } from './node/info.ts'
import { predictions, servePredictions } from './predictions/predictions.ts'
import { serveSnapshots, snapshots } from './snapshots/snapshots.ts'

/** Every route, for the types of clients. */
export const definitions = [
  health,
  info,
  eras,
  leaderboard,
  models,
  modelActivity,
  predictions,
  feeds,
  snapshots,
  checkpoints,
] as const

/** Every route with its handler. */
export const allRoutes: readonly ServedRoute[] = [
  serveHealth,
  serveInfo,
  serveEras,
  serveLeaderboard,
  serveModels,
  serveModelActivity,
  servePredictions,
  serveFeeds,
  serveSnapshots,
  serveCheckpoints,
]
