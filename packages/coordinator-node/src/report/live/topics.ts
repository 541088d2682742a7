import { decideAccess, type Refusal } from '../access/decide-access.ts'
import { prefixedTier } from '../access/tiers.ts'
import type { Viewer } from '../access/viewer.ts'
import type { RouteDefinition } from '../http/define-route.ts'
import type { ReportContext } from '../report-context.ts'
import { checkpoints } from '../routes/checkpoints/checkpoints.ts'
import { feeds } from '../routes/feeds/feeds.ts'
import { leaderboard } from '../routes/leaderboard/leaderboard.ts'
import { models } from '../routes/models/models.ts'
import { predictions } from '../routes/predictions/predictions.ts'
import { oneRound } from '../routes/rounds/one-round.ts'

export const topics = ['leaderboard', 'rounds', 'predictions', 'feeds', 'checkpoints', 'models'] as const

export type Topic = (typeof topics)[number]

/** The routes whose rows the events have. */
const routes: Readonly<Record<Topic, RouteDefinition>> = {
  ...{ leaderboard, predictions, feeds, checkpoints, models },
  rounds: oneRound,
}

/** Why a viewer may not hear a topic: it hears no more than the topic's own route would answer. `null`: it may. */
export function topicRefusal(
  topic: Topic,
  viewer: Viewer,
  { access = {} }: Pick<ReportContext, 'access'>,
): Refusal | null {
  const { tier, path } = routes[topic]
  return decideAccess({
    tier: prefixedTier(tier, path, access),
    viewer,
    readsNeedKey: access.readsNeedKey ?? false,
    ...{ isWrite: false, hasKeys: true, whyNotLocal: null },
  })
}
