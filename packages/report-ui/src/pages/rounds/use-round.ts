import type { AnswerOf } from '@crunch/coordinator-node/client'
import { node } from '../../data/node.ts'
import { useResource } from '../../data/resource.ts'
import type { RoundState } from './use-rounds.ts'

export type Round = AnswerOf<'get', '/reports/rounds/{round_id}'>
export type Answer = Round['predictions'][number]

/** One round with all answers, which the viewer's key may let see earlier than others. */
export function useRound(id: string) {
  return useResource<Round>(
    `round ${id}`,
    (signal) => node.get('/reports/rounds/{round_id}', { params: { round_id: id }, signal }),
    { topics: ['rounds', 'predictions'], apply: (event, _, current) => (isAbout(event, id) ? undefined : current) },
  )
}

function isAbout(event: unknown, roundId: string): boolean {
  if (Array.isArray(event)) return (event as readonly Answer[])[0]?.round_id === roundId
  return (event as Pick<Round, 'id'>).id === roundId
}

export function stateOf({ status, void_reason }: Pick<Round, 'status' | 'void_reason'>): RoundState {
  if (status === 'RECEIVED') return 'open'
  return void_reason === null ? 'resolved' : 'void'
}
