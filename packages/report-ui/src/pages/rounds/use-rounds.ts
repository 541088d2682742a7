import type { AnswerOf } from '@crunch/coordinator-node/client'
import { readLinked } from '../../data/node.ts'
import { type Rows, readPages } from '../../data/read-pages.ts'
import { type Resource, useResource } from '../../data/resource.ts'

export type ListedRound = AnswerOf<'get', '/reports/rounds'>[number]
export type RoundState = ListedRound['state']

export interface RoundQuery {
  readonly state?: RoundState | undefined
  readonly subject?: string | undefined
  readonly source?: string | undefined
  readonly kind?: string | undefined
  readonly granularity?: string | undefined
}

const pageSize = 50
/** Rows that the viewer asked for, by query: what was shown once stays when the list is read again. */
const wantedRows = new Map<string, number>()

export interface RoundList extends Resource<Rows<ListedRound>> {
  readonly showMore: () => void
}

/** Rounds, newest first. They are read again when one of those shown changes, or a newer one opens. */
export function useRounds(query: RoundQuery): RoundList {
  const name = `rounds ${JSON.stringify(query)}`
  const resource = useResource<Rows<ListedRound>>(
    name,
    (signal) =>
      readPages(wantedRows.get(name) ?? pageSize, (cursor) =>
        readLinked((client) => client.get('/reports/rounds', { query: { ...query, limit: pageSize, cursor }, signal })),
      ),
    {
      topics: ['rounds', 'predictions'],
      apply: (event, topic, current) => (isShown(roundOf(event, topic), current) ? undefined : current),
    },
  )
  const showMore = (): void => {
    wantedRows.set(name, (resource.data.peek()?.rows.length ?? 0) + pageSize)
    resource.reload()
  }
  return { ...resource, showMore }
}

interface ChangedRound {
  readonly id: string
  readonly performedAt: number
}

/** The round that an event is about. */
function roundOf(event: unknown, topic: string): ChangedRound | null {
  if (topic === 'rounds') {
    const { id, performed_at } = event as Pick<ListedRound, 'id' | 'performed_at'>
    return { id, performedAt: Date.parse(performed_at) }
  }
  const [first] = event as AnswerOf<'get', '/reports/predictions'>
  return first === undefined ? null : { id: first.round_id, performedAt: Date.parse(`${first.performed_at}Z`) }
}

/** Changes of rounds behind the last one shown are not seen. */
function isShown(round: ChangedRound | null, { rows, hasMore }: Rows<ListedRound>): boolean {
  const last = rows.at(-1)
  if (round === null) return false
  return !hasMore || last === undefined || round.performedAt >= Date.parse(last.performed_at)
}
