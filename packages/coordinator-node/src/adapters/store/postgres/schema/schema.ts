import { sql } from 'drizzle-orm'
import {
  boolean,
  check,
  doublePrecision,
  foreignKey,
  index,
  integer,
  jsonb,
  pgTable,
  primaryKey,
  unique,
  uniqueIndex,
} from 'drizzle-orm/pg-core'
import { count, era, instant, text } from './columns.ts'

// drizzle-kit generates the migrations from these tables; the store itself uses SQL. Each index serves a query of this folder.

const scope = () => ({
  source: text('source').notNull(),
  subject: text('subject').notNull(),
  kind: text('kind').notNull(),
  granularity: text('granularity').notNull(),
})

/** The competition that a database belongs to: one row. */
export const competition = pgTable(
  'competition',
  {
    id: integer('id').primaryKey().default(1),
    crunchId: text('crunch_id').notNull(),
    name: text('name').notNull(),
  },
  (table) => [check('competition_single', sql`${table.id} = 1`)],
)

/** Spans of time with a constant structure of the contract. Rows contain the number of their era. */
export const eras = pgTable('eras', {
  number: integer('number').primaryKey(),
  structure: jsonb('structure').notNull(),
  fingerprint: text('fingerprint').notNull(),
  beganAt: instant('began_at').notNull(),
})

/** The code of the contract. No foreign key from scores: it would cost a look-up for each of them. */
export const contractVersions = pgTable(
  'contract_versions',
  {
    number: integer('number').primaryKey(),
    hash: text('hash').notNull(),
    era: integer('era')
      .notNull()
      .references(() => eras.number),
    firstSeenAt: instant('first_seen_at').notNull(),
  },
  (table) => [unique('contract_versions_code').on(table.era, table.hash)],
)

export const feedRecords = pgTable(
  'feed_records',
  {
    ...scope(),
    eventAt: instant('event_at').notNull(),
    knownAt: instant('known_at').notNull(),
    receivedAt: instant('received_at').notNull(),
    values: jsonb('values').notNull(),
  },
  (table) => [
    primaryKey({
      name: 'feed_records_key',
      columns: [table.source, table.subject, table.kind, table.granularity, table.eventAt],
    }),
    // For entry, exit and the records in between, and for the newest records of a scope.
    index('feed_records_known').on(
      table.source,
      table.subject,
      table.kind,
      table.granularity,
      table.knownAt,
      table.eventAt,
    ),
  ],
)

/** Records with an existing key but other values: stored separately, never applied. */
export const feedRecordRevisions = pgTable(
  'feed_record_revisions',
  {
    ...scope(),
    eventAt: instant('event_at').notNull(),
    /** MD5 of the values as printed by jsonb, so that each revision is stored once. */
    valuesHash: text('values_hash').notNull(),
    knownAt: instant('known_at').notNull(),
    receivedAt: instant('received_at').notNull(),
    values: jsonb('values').notNull(),
  },
  (table) => [
    primaryKey({
      name: 'feed_record_revisions_key',
      columns: [table.source, table.subject, table.kind, table.granularity, table.eventAt, table.valuesHash],
    }),
  ],
)

export const feedIngestionState = pgTable(
  'feed_ingestion_state',
  {
    ...scope(),
    recordCount: count('record_count').notNull().default(0),
    revisionCount: count('revision_count').notNull().default(0),
    oldestEventAt: instant('oldest_event_at'),
    newestEventAt: instant('newest_event_at'),
    watermarkAt: instant('watermark_at'),
    updatedAt: instant('updated_at').notNull(),
    status: text('status').notNull(),
    statusReason: text('status_reason'),
    statusSince: instant('status_since').notNull(),
  },
  (table) => [
    primaryKey({
      name: 'feed_ingestion_state_key',
      columns: [table.source, table.subject, table.kind, table.granularity],
    }),
    check('feed_ingestion_state_status', sql`${table.status} in ('up', 'stale', 'frozen', 'suspect', 'down')`),
  ],
)

export const backfillJobs = pgTable(
  'backfill_jobs',
  {
    id: text('id').primaryKey(),
    ...scope(),
    fromAt: instant('from_at').notNull(),
    toAt: instant('to_at').notNull(),
    target: text('target').notNull(),
    directory: text('directory'),
    cursorAt: instant('cursor_at').notNull(),
    recordCount: count('record_count').notNull(),
    pageCount: count('page_count').notNull(),
    status: text('status').notNull(),
    runBy: text('run_by').notNull().default('command'),
    error: text('error'),
    createdAt: instant('created_at').notNull(),
    updatedAt: instant('updated_at').notNull(),
  },
  (table) => [
    // Two requests at the same time cannot both begin to fetch a series.
    uniqueIndex('backfill_jobs_active')
      .on(table.source, table.subject, table.kind, table.granularity)
      .where(sql`${table.runBy} = 'node' and ${table.status} in ('pending', 'running')`),
    check('backfill_jobs_run_by', sql`${table.runBy} in ('command', 'node')`),
    check('backfill_jobs_status', sql`${table.status} in ('pending', 'running', 'completed', 'failed', 'cancelled')`),
    check('backfill_jobs_target', sql`${table.target} in ('tables', 'parquet')`),
  ],
)

export const scheduledPredictionConfigs = pgTable(
  'scheduled_prediction_configs',
  {
    key: text('key').primaryKey(),
    ...scope(),
    everyMs: count('every_ms').notNull(),
    horizonMs: count('horizon_ms').notNull(),
    stepMs: count('step_ms').notNull(),
    trigger: text('trigger').notNull(),
    active: boolean('active').notNull(),
    /** The place in the contract. */
    position: integer('position').notNull(),
    /** Updated with each round, so that the cost of status and health does not grow with history. */
    openedCount: count('opened_count').notNull().default(0),
    missedCount: count('missed_count').notNull().default(0),
    lastPerformedAt: instant('last_performed_at'),
    /** Inputs that the contract refused in a row, the newest one at `refusedAt`; a later round ends them. */
    refusedCount: count('refused_count').notNull().default(0),
    refusedSince: instant('refused_since'),
    refusedAt: instant('refused_at'),
    refusal: text('refusal'),
  },
  (table) => [check('scheduled_prediction_configs_trigger', sql`${table.trigger} in ('record', 'clock')`)],
)

/** One row per round. */
export const inputs = pgTable(
  'inputs',
  {
    id: text('id').primaryKey(),
    scheduleKey: text('schedule_key')
      .notNull()
      .references(() => scheduledPredictionConfigs.key),
    era: era(),
    ...scope(),
    horizonMs: count('horizon_ms').notNull(),
    stepMs: count('step_ms').notNull(),
    performedAt: instant('performed_at').notNull(),
    resolvableAt: instant('resolvable_at').notNull(),
    expiresAt: instant('expires_at').notNull(),
    missedBefore: count('missed_before').notNull(),
    input: jsonb('input').notNull(),
    status: text('status').notNull().default('RECEIVED'),
    answeredAt: instant('answered_at'),
    actuals: jsonb('actuals'),
    voidReason: text('void_reason'),
    missingValue: doublePrecision('missing_value'),
    /** Why the contract refused the truth or, in a round with a truth, the first of `refusedCount` of `scoreCount` scores; else null. */
    refusal: text('refusal'),
    refusedCount: integer('refused_count'),
    scoreCount: integer('score_count'),
  },
  (table) => [
    check('inputs_status', sql`${table.status} in ('RECEIVED', 'RESOLVED')`),
    check(
      'inputs_truth',
      sql`${table.status} = 'RESOLVED' or (${table.actuals} is null and ${table.voidReason} is null)`,
    ),
    check('inputs_answers', sql`${table.status} = 'RECEIVED' or ${table.answeredAt} is not null`),
    // For the results of a period and its first round.
    index('inputs_resolvable').on(table.resolvableAt, table.id),
    // For claims, and for whether a period can close.
    index('inputs_unresolved').on(table.resolvableAt, table.id).where(sql`status = 'RECEIVED'`),
    index('inputs_unanswered').on(table.performedAt, table.id).where(sql`answered_at is null`),
    // For the list of rounds, newest first.
    index('inputs_performed').on(table.performedAt, table.id),
    index('inputs_void').on(table.performedAt, table.id).where(sql`void_reason is not null`),
    // Empty in a competition that works.
    index('inputs_refused').on(table.scheduleKey, table.resolvableAt, table.id).where(sql`refusal is not null`),
    // For alarms, which read the newest rounds of each schedule: another schedule may open a thousand times as many.
    index('inputs_of_schedule')
      .on(table.scheduleKey, table.resolvableAt, table.id)
      .where(sql`answered_at is not null and void_reason is null`),
  ],
)

export const models = pgTable('models', {
  id: text('id').primaryKey(),
  name: text('name').notNull(),
  deploymentId: text('deployment_id').notNull(),
  cruncherId: text('cruncher_id').notNull(),
  cruncherName: text('cruncher_name').notNull(),
  registeredAt: instant('registered_at').notNull(),
})

/** Retirements: spans in which a model takes no part. They never overlap, and at most one is open. */
export const modelRetirements = pgTable(
  'model_retirements',
  {
    modelId: text('model_id')
      .notNull()
      .references(() => models.id),
    fromAt: instant('from_at').notNull(),
    untilAt: instant('until_at'),
    reason: text('reason').notNull(),
  },
  (table) => [
    primaryKey({ name: 'model_retirements_key', columns: [table.modelId, table.fromAt] }),
    uniqueIndex('model_retirements_open').on(table.modelId).where(sql`until_at is null`),
    check('model_retirements_span', sql`${table.untilAt} > ${table.fromAt}`),
  ],
)

/** An announced id that belonged to another cruncher before; the new history uses the id `model_id~number`. */
export const modelReassignments = pgTable(
  'model_reassignments',
  {
    modelId: text('model_id')
      .notNull()
      .references(() => models.id),
    /** The second history of an id has the number 2. */
    number: integer('number').notNull(),
    cruncherId: text('cruncher_id').notNull(),
    recordedAt: instant('recorded_at').notNull(),
  },
  (table) => [primaryKey({ name: 'model_reassignments_key', columns: [table.modelId, table.number] })],
)

export const predictions = pgTable(
  'predictions',
  {
    inputId: text('input_id')
      .notNull()
      .references(() => inputs.id),
    modelId: text('model_id')
      .notNull()
      .references(() => models.id),
    /** PENDING with a RESOLVED round is read as SCORED, so that scoring does not rewrite the row. */
    status: text('status').notNull(),
    output: jsonb('output'),
    reason: text('reason'),
    blame: text('blame'),
    detail: text('detail'),
    durationMs: doublePrecision('duration_ms'),
    performedAt: instant('performed_at').notNull(),
    resolvableAt: instant('resolvable_at').notNull(),
  },
  (table) => [
    // The key. Ids of predictions and scores are derived from it.
    unique('predictions_round_model').on(table.inputId, table.modelId),
    check('predictions_status', sql`${table.status} in ('PENDING', 'SCORED', 'FAILED', 'ABSENT')`),
    check('predictions_blame', sql`${table.blame} in ('model', 'coordinator')`),
    // Short: the rows of one instant are sorted when they are read.
    index('predictions_performed').on(table.performedAt),
    index('predictions_of_model').on(table.modelId, table.performedAt),
  ],
)

export const scores = pgTable(
  'scores',
  {
    inputId: text('input_id').notNull(),
    modelId: text('model_id').notNull(),
    kind: text('kind').notNull(),
    value: jsonb('value'),
    reason: text('reason'),
    signal: doublePrecision('signal'),
    actual: doublePrecision('actual'),
    scoredAt: instant('scored_at').notNull(),
    /** Null for scores from before versions were recorded. */
    contractVersion: integer('contract_version'),
  },
  (table) => [
    primaryKey({ name: 'scores_key', columns: [table.inputId, table.modelId] }),
    foreignKey({
      name: 'scores_prediction',
      columns: [table.inputId, table.modelId],
      foreignColumns: [predictions.inputId, predictions.modelId],
    }),
    check('scores_kind', sql`${table.kind} in ('valid', 'imputed', 'failed')`),
  ],
)

export const snapshots = pgTable(
  'snapshots',
  {
    id: text('id').primaryKey(),
    era: era(),
    modelId: text('model_id')
      .notNull()
      .references(() => models.id),
    periodStart: instant('period_start').notNull(),
    periodEnd: instant('period_end').notNull(),
    scoreCount: count('score_count').notNull(),
    dueCount: count('due_count').notNull(),
    answeredCount: count('answered_count').notNull(),
    roundCount: count('round_count').notNull(),
    validCount: count('valid_count').notNull(),
    excusedCount: count('excused_count').notNull(),
    unasked: jsonb('unasked').notNull(),
    missed: jsonb('missed').notNull(),
    contractVersions: jsonb('contract_versions').notNull().default({}),
    sums: jsonb('sums').notNull(),
    metrics: jsonb('metrics').notNull(),
  },
  (table) => [
    unique('snapshots_period_model').on(table.periodEnd, table.modelId),
    index('snapshots_of_model').on(table.modelId, table.periodEnd),
  ],
)

export const leaderboards = pgTable(
  'leaderboards',
  {
    id: text('id').primaryKey(),
    era: era(),
    /** The end of the closed period. */
    asOf: instant('as_of').notNull().unique('leaderboards_period'),
    periodStart: instant('period_start').notNull(),
    roundCount: count('round_count').notNull(),
    worst: jsonb('worst').notNull(),
    missing: jsonb('missing').notNull(),
    firstPerformedAt: instant('first_performed_at').notNull(),
    rankBy: text('rank_by').notNull(),
    direction: text('direction').notNull(),
    entries: jsonb('entries').notNull(),
  },
  (table) => [check('leaderboards_direction', sql`${table.direction} in ('asc', 'desc')`)],
)

export * from './checkpoint-table.ts'
export * from './worker-tables.ts'
