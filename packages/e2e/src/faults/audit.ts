import type postgres from 'postgres'

/** One change of a row, with the time of the database server, whose clock faults do not change. Instants are Unix milliseconds. */
export interface Change {
  readonly at: number
  readonly tableName: string
  readonly operation: 'INSERT' | 'UPDATE' | 'DELETE'
  /** Id of the row; in tables without ids, the model in its round, the name, worker or subject. */
  readonly id: string
  /** The schedule of a round. */
  readonly scheduleKey: string | null
  readonly statusBefore: string | null
  readonly status: string | null
  readonly resolvableAt: number | null
}

const resultTables = ['inputs', 'predictions', 'scores', 'snapshots', 'leaderboards', 'checkpoints'] as const
/** Tables whose changes show that a node is working. */
const signTables = ['feed_records', 'leases', 'worker_heartbeats'] as const

/** From now on, database triggers record every change of these tables. */
export async function startAudit(sql: postgres.Sql): Promise<void> {
  await sql.unsafe(`
    create schema audit;
    create table audit.changes (
      at timestamptz not null, table_name text not null, operation text not null, id text not null, schedule_key text,
      status_before text, status text, resolvable_at timestamptz
    );
    create function audit.note() returns trigger language plpgsql as $$
    declare
      before jsonb := case when tg_op = 'INSERT' then '{}' else to_jsonb(old) end;
      behind jsonb := case when tg_op = 'DELETE' then before else to_jsonb(new) end;
    begin
      insert into audit.changes values (clock_timestamp(), tg_table_name, tg_op,
        coalesce(behind->>'id', (behind->>'model_id') || ' in ' || (behind->>'input_id'), behind->>'name', behind->>'worker',
          behind->>'subject'), behind->>'schedule_key', before->>'status',
        behind->>'status', (behind->>'resolvable_at')::timestamptz);
      return null;
    end $$;
    ${[...resultTables, ...signTables]
      .map(
        (table) =>
          `create trigger audit after insert or update or delete on ${table} for each row execute function audit.note();`,
      )
      .join('\n')}`)
}

export async function readAudit(sql: postgres.Sql): Promise<readonly Change[]> {
  return sql<Change[]>`
    select at, table_name as "tableName", operation, id, status_before as "statusBefore", status, schedule_key as "scheduleKey",
      resolvable_at as "resolvableAt"
    from audit.changes order by at, table_name, id`
}

/** Answers that became PENDING after their truth could be known. */
export function lateAnswers(changes: readonly Change[]): readonly string[] {
  return changes
    .filter(
      ({ tableName, statusBefore, status }) =>
        tableName === 'predictions' && status === 'PENDING' && statusBefore !== 'PENDING',
    )
    .filter(({ at, resolvableAt }) => resolvableAt === null || at >= resolvableAt)
    .map(({ id, at, status, resolvableAt }) => {
      const lateMs = resolvableAt === null ? null : at - resolvableAt
      return `${id} became ${status} ${lateMs} ms after its truth could be known`
    })
}

/** Changes of a status; `null` stands for a missing row or a row without a status. */
const allowedMoves: Readonly<Record<string, readonly string[]>> = {
  inputs: ['null>RECEIVED', 'RECEIVED>RECEIVED', 'RECEIVED>RESOLVED'],
  predictions: ['null>PENDING', 'null>FAILED', 'null>ABSENT', 'PENDING>FAILED'],
  scores: ['null>null'],
  snapshots: ['null>null'],
  leaderboards: ['null>null'],
  checkpoints: ['null>PENDING'],
}

/** Rows that were deleted, inserted twice, or changed after they were closed. */
export function forbiddenChanges(changes: readonly Change[]): readonly string[] {
  return changes
    .filter(({ tableName }) => tableName in allowedMoves)
    .filter(({ tableName, operation, statusBefore, status }) => {
      const isAllowed = allowedMoves[tableName]?.includes(`${statusBefore}>${status}`) === true
      const isOpen = tableName === 'inputs' || tableName === 'predictions'
      return !isAllowed || operation === 'DELETE' || (operation === 'UPDATE' && !isOpen)
    })
    .map(
      ({ tableName, operation, id, statusBefore, status }) =>
        `${operation} of ${tableName} ${id}: ${statusBefore} > ${status}`,
    )
}
