import { type AnswerOf, ReportError } from '@crunch/coordinator-node/client'
import { node } from '../../data/node.ts'
import { type Resource, useResource } from '../../data/resource.ts'
import { withCheckpoint } from './checkpoint-list.ts'

export type Checkpoint = AnswerOf<'get', '/reports/checkpoints/{checkpoint_id}'>
export type RankedModel = Checkpoint['meta']['ranking'][number]

/** Each has the row of every model, so a few are read at first. */
export const firstCount = 20
/** The route gives no more at once. */
export const mostCount = 100

/** The newest payouts, newest first. */
export const useCheckpoints = (limit = firstCount): Resource<readonly Checkpoint[]> =>
  useResource<readonly Checkpoint[]>(
    `checkpoints ${limit}`,
    (signal) => node.get('/reports/checkpoints', { query: { limit }, signal }),
    {
      topics: ['checkpoints'],
      apply: (event, _topic, current) => withCheckpoint(current, event as Checkpoint).slice(0, limit),
    },
  )

/** An event has no accounts of winners, so one payout is read again after it. */
export const useCheckpoint = (id: string): Resource<Checkpoint> =>
  useResource(
    `checkpoint ${id}`,
    (signal) => node.get('/reports/checkpoints/{checkpoint_id}', { params: { checkpoint_id: id }, signal }),
    {
      topics: ['checkpoints'],
      apply: (event, _topic, current) => ((event as Checkpoint).id === id ? undefined : current),
    },
  )

export const paidOf = (ranking: readonly RankedModel[]): readonly RankedModel[] =>
  ranking.filter(({ reward_pct }) => reward_pct > 0)

export const checkpointPath = (id: string): string => `/checkpoints/${encodeURIComponent(id)}`

export type Preview = AnswerOf<'get', '/reports/checkpoints/preview'>

/** What would be paid if the period ended now; null: this node cannot tell. It changes when a snapshot period closes. */
export const usePreview = (): Resource<Preview | null> =>
  useResource<Preview | null>(
    'checkpoint preview',
    (signal) =>
      node.get('/reports/checkpoints/preview', { signal }).catch((error: unknown) => {
        if (error instanceof ReportError && error.status === 404) return null
        throw error
      }),
    { topics: ['leaderboard', 'checkpoints'], everyMs: 60_000 },
  )

/** Where the page shows it; no checkpoint has such an id. */
export const previewPath = '/checkpoints/preview'
