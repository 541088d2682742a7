import { type Competition, type ContractVersion, type Era, earliestEnd, eraBeganReason } from '../../../domain/era.ts'
import type { Instant } from '../../../domain/time.ts'
import type { BegunEra, EnteredEra, EraEntry, EraReads, NextEra } from '../../../ports/store-eras.ts'
import { encodeInstant } from './schema/instant-codec.ts'
import { type Fragment, jsonParameter, type Query, type Sql } from './session/connect.ts'

export function createEraStore(sql: Sql): EraReads {
  return {
    competition: () => readCompetition(sql),
    eras: () => readEras(sql),
    async contractVersions() {
      const rows = await sql<ContractVersion[]>`select ${versionColumns(sql)} from contract_versions order by number`
      return [...rows]
    },
  }
}

/** Call within a transaction. Concurrent processes wait for each other; reads do not wait. */
export async function enterEra(sql: Query, entry: EraEntry): Promise<EnteredEra> {
  await sql`lock table eras in exclusive mode`
  const { crunchId, name } = entry.competition
  const competition = await readCompetition(sql)
  if (competition !== null && (competition.crunchId !== crunchId || competition.name !== name)) {
    return { kind: 'other-competition', competition }
  }
  const current = (await readEras(sql)).at(-1)
  const { structure, fingerprint, formerFingerprint, at } = entry
  if (current !== undefined && ![fingerprint, formerFingerprint].includes(current.fingerprint)) {
    return { kind: 'changed', era: current }
  }
  const isFirstEra = current === undefined
  const entered: Era = { number: 1, beganAt: at, ...current, structure, fingerprint }
  const era = current?.fingerprint === fingerprint ? current : entered
  if (competition === null) await sql`insert into competition (crunch_id, name) values (${crunchId}, ${name})`
  if (isFirstEra) await insertEra(sql, era)
  else if (current.fingerprint !== fingerprint) await replaceStructure(sql, era)
  const [added] = await sql<ContractVersion[]>`
    insert into contract_versions (number, hash, era, first_seen_at)
    select (select coalesce(max(number), 0) + 1 from contract_versions), ${entry.codeHash}, ${era.number}, ${at}
    on conflict (era, hash) do nothing
    returning ${versionColumns(sql)}`
  const [version] =
    added === undefined
      ? await sql<ContractVersion[]>`
          select ${versionColumns(sql)} from contract_versions where era = ${era.number} and hash = ${entry.codeHash}`
      : [added]
  if (version === undefined) throw new Error(`the version ${entry.codeHash} of era ${era.number} was not kept`)
  return { kind: 'entered', era, version, isFirstEra, isNewVersion: added !== undefined }
}

/** Call within a transaction. The locks wait for running settlements and openings of rounds, and block new ones until the era has begun. */
export async function beginEra(sql: Query, next: NextEra): Promise<BegunEra | null> {
  await sql`lock table eras in exclusive mode`
  const current = (await readEras(sql)).at(-1)
  if (current === undefined || current.number !== next.after) return null
  await sql`lock table inputs in exclusive mode`
  const earliestAt = await endOfResults(sql)
  const { structure, fingerprint } = next
  const beganAt = Math.max(next.at, earliestAt, earliestEnd(current))
  const era: Era = { number: next.after + 1, structure, fingerprint, beganAt }
  await insertEra(sql, era)
  return { era, voidRoundCount: await giveUpRounds(sql, era) }
}

async function insertEra(sql: Query, { number, structure, fingerprint, beganAt }: Era): Promise<void> {
  const document = { number, structure, fingerprint, beganAt: encodeInstant(beganAt) }
  await sql`
    insert into eras (number, structure, fingerprint, began_at)
    select * from json_to_record(${jsonParameter(sql, document)}) as e(
      number int, structure jsonb, fingerprint text, "beganAt" timestamptz)`
}

async function replaceStructure(sql: Query, { number, structure, fingerprint }: Era): Promise<void> {
  const document = { structure, fingerprint }
  await sql`
    update eras set structure = e.structure, fingerprint = e.fingerprint
    from json_to_record(${jsonParameter(sql, document)}) as e(structure jsonb, fingerprint text)
    where eras.number = ${number}::int`
}

/** The first instant after everything that belongs to the era so far. */
async function endOfResults(sql: Query): Promise<Instant> {
  const [row] = await sql<Readonly<Record<string, Instant | null>>[]>`
    select (select max(last_performed_at) from scheduled_prediction_configs) as opened,
      (select resolvable_at from inputs where status = 'RESOLVED' and void_reason is null
        order by resolvable_at desc limit 1) as settled,
      (select max(as_of) from leaderboards) as closed,
      (select max(period_end) from checkpoints) as paid`
  const { opened = null, settled = null, closed = null, paid = null } = row ?? {}
  return Math.max((opened ?? 0) + 1, (settled ?? 0) + 1, closed ?? 0, paid ?? 0)
}

async function giveUpRounds(sql: Query, era: Era): Promise<number> {
  const reason = eraBeganReason(era)
  const [row] = await sql<{ count: number }[]>`
    with given_up as (
      update inputs set status = 'RESOLVED', void_reason = ${reason}::text,
        answered_at = coalesce(answered_at, ${era.beganAt}::timestamptz)
      where status = 'RECEIVED'
      returning id
    ), moved as (
      update predictions set status = 'FAILED', reason = 'contract_changed', blame = 'coordinator', detail = ${reason}::text
      from given_up where predictions.input_id = given_up.id and predictions.status = 'PENDING'
    )
    select count(*) as count from given_up`
  return row?.count ?? 0
}

async function readCompetition(sql: Query): Promise<Competition | null> {
  const [row] = await sql<Competition[]>`select crunch_id as "crunchId", name from competition`
  return row ?? null
}

async function readEras(sql: Query): Promise<readonly Era[]> {
  const rows = await sql<Era[]>`
    select number, structure, fingerprint, began_at as "beganAt" from eras order by number`
  return [...rows]
}

const versionColumns = (sql: Query) => sql`number, hash, era, first_seen_at as "firstSeenAt"`

/** Whether a row of this era up to `end` may be written; without `end`, whether the era is the current one. */
export const isWithinEra = (sql: Query, era: Fragment, end?: Fragment) =>
  end === undefined
    ? sql`${era} = (select coalesce(max(number), 1) from eras)`
    : sql`(${era} <= (select coalesce(max(number), 1) from eras)
        and not exists (select from eras next where next.number = ${era} + 1 and next.began_at < ${end}))`
