import type { AnswerOf } from '@crunch/coordinator-node/client'
import { node } from '../../data/node.ts'
import { useResource } from '../../data/resource.ts'

export type Operations = AnswerOf<'get', '/reports/operations'>

/** How each stage does. The node reads it at most every 5 s. */
export const useOperations = () =>
  useResource('operations', (signal) => node.get('/reports/operations', { signal }), {
    topics: ['feeds', 'checkpoints'],
    everyMs: 10_000,
  })
