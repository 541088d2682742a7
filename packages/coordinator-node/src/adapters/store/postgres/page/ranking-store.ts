import type { Instant } from '../../../../domain/time.ts'
import type { BoardPlace, BoardRanking, RankingReads } from '../../../../ports/reads/page-reads.ts'
import { wantedEnds } from '../series-store.ts'
import type { Sql } from '../session/connect.ts'

interface RankingRow extends Omit<BoardRanking, 'places'> {
  /** modelId, rank and value, model after model: a row for each would take several times as long. */
  readonly places: readonly (string | number | null)[]
}

export function createRankingStore(sql: Sql): RankingReads {
  return {
    async periodEnds({ from, to, limit }) {
      const rows = await sql<{ at: Instant }[]>`
        select as_of as at from leaderboards where as_of >= ${from} and as_of <= ${to} order by as_of desc limit ${limit}`
      return rows.map(({ at }) => at).reverse()
    },
    async rankingsAt(ends) {
      const rows = await sql<RankingRow[]>`
        select found.* from ${wantedEnds(sql, ends)}
        cross join lateral (
          select as_of as "asOf", era, rank_by as "rankBy", (
            select ('[' || coalesce(string_agg(concat_ws(',', entry->'modelId', entry->'rank', coalesce(entry->'windows'->rank_by, 'null')), ',' order by place), '') || ']')::json
            from jsonb_array_elements(entries) with ordinality as listed(entry, place)
          ) as places
          from leaderboards where as_of = ends.at offset 0
        ) found order by "asOf"`
      return rows.map(({ places, ...row }) => ({ ...row, places: placesOf(places) }))
    },
  }
}

function placesOf(flat: RankingRow['places']): readonly BoardPlace[] {
  const places: BoardPlace[] = []
  for (let at = 0; at < flat.length; at += 3) {
    places.push({
      modelId: flat[at] as string,
      rank: flat[at + 1] as number | null,
      value: flat[at + 2] as number | null,
    })
  }
  return places
}
