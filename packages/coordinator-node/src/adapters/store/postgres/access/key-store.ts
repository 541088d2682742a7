import type { ApiKey } from '../../../../domain/access/api-key.ts'
import type { KeyStore } from '../../../../ports/store-keys.ts'
import { compareText } from '../../compare-text.ts'
import type { Query, Sql } from '../session/connect.ts'

export function createKeyStore(sql: Sql): KeyStore {
  return {
    async addApiKey({ id, name, scope, cruncherId, hash, createdAt, endsAt, endReason }) {
      const rows = await sql`
        insert into api_keys (id, name, scope, cruncher_id, hash, created_at, ends_at, end_reason)
        values (${id}, ${name}, ${scope}, ${cruncherId}, ${hash}, ${createdAt}::timestamptz, ${endsAt}::timestamptz, ${endReason})
        on conflict do nothing returning 1`
      return rows.length > 0
    },
    async rotateApiKey(name, { id, hash, createdAt }, endsAt) {
      // The index on names without an end sees the ended row only after the update, so the insert waits for its result.
      const [row] = await sql<ApiKey[]>`
        with ended as (
          update api_keys set ends_at = ${endsAt}::timestamptz, end_reason = 'rotated'
          where name = ${name} and ends_at is null
          returning name, scope, cruncher_id
        )
        insert into api_keys (id, name, scope, cruncher_id, hash, created_at)
        select ${id}::text, name, scope, cruncher_id, ${hash}::text, ${createdAt}::timestamptz from ended
        returning ${keyColumns(sql)}`
      return row ?? null
    },
    async revokeApiKeys(name, at) {
      const rows = await sql`
        update api_keys set ends_at = ${at}::timestamptz, end_reason = 'revoked'
        where name = ${name} and (ends_at is null or ends_at > ${at}::timestamptz)
        returning 1`
      return rows.length
    },
    async apiKeys(from) {
      const isWanted = from === undefined ? sql`true` : sql`ends_at is null or ends_at > ${from}::timestamptz`
      const rows = await sql<ApiKey[]>`select ${keyColumns(sql)} from api_keys where ${isWanted}`
      return [...rows].sort((left, right) => left.createdAt - right.createdAt || compareText(left.id, right.id))
    },
  }
}

const keyColumns = (sql: Query) => sql`id, name, scope, cruncher_id as "cruncherId", hash, created_at as "createdAt",
  ends_at as "endsAt", end_reason as "endReason"`
