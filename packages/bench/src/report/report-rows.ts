import { withPlainClient } from '../engine.ts'
import type { ReportSize } from './report-size.ts'

const periodMs = 600_000
const horizonMs = 300_000

/**
 * Fills an empty, migrated database as the realtime contract would until `endsAt`, the end of a period. Without a look-up for each
 * foreign key: it takes minutes for millions of rows.
 */
export async function fillReport(databaseUrl: string, size: ReportSize, endsAt: number): Promise<void> {
  await withPlainClient(databaseUrl, async ({ sql }) => {
    await sql.unsafe('set statement_timeout = 0; set synchronous_commit = off; set session_replication_role = replica')
    for (const statement of statements(size, endsAt)) await sql.unsafe(statement)
  })
}

function statements({ modelCount, periodCount, roundCount }: ReportSize, endsAt: number): readonly string[] {
  const beganAt = endsAt - periodCount * periodMs
  const after = (ms: string) => `to_timestamp(${beganAt / 1_000}::float8 + (${ms}) / 1000.0::float8)`
  const period = (number: string) => after(`(${number}) * ${periodMs}::float8`)
  // In whole seconds, the last one just before the end, so that its truth is not known.
  const everySeconds = Math.floor((periodCount * periodMs) / roundCount / 1_000)
  const performed = after(
    `${periodCount * periodMs}::float8 - (${roundCount} - r) * ${everySeconds * 1_000}::float8 - 1000`,
  )
  const resolvable = `${performed} + interval '${horizonMs} ms'`
  const roundId = `'INP_BTCUSDT-5m_' || to_char(${performed} at time zone 'UTC', 'YYYYMMDD_HH24MISS.MS')`
  const isOpen = `${resolvable} >= to_timestamp(${endsAt / 1_000})`
  const none = `'{"sum":0,"count":0}'`
  const models = `generate_series(1, ${modelCount}) m`
  const rounds = `generate_series(1, ${roundCount}) r`
  return [
    `insert into models select 'model-' || m, 'model ' || m, 'd', 'cruncher-' || m, 'Cruncher ' || m, ${period('0')} from ${models}`,
    `insert into scheduled_prediction_configs (key, source, subject, kind, granularity, every_ms, horizon_ms, step_ms, trigger, active,
        position, opened_count, last_performed_at)
      select 'BTCUSDT-5m', 'binance', 'BTCUSDT', 'candle', '1m', 60000, ${horizonMs}, 60000, 'record', true, 0, ${roundCount},
        to_timestamp(${endsAt / 1_000})`,
    `insert into feed_records select 'binance', 'BTCUSDT', 'candle', '1m', at, at + interval '1 minute', at + interval '61 seconds',
        '{"open": 100000.5, "high": 100010.25, "low": 99990.125, "close": 100001.5, "volume": 12.375}'
      from generate_series(${period('0')}, to_timestamp(${endsAt / 1_000 - 60}), interval '1 minute') at`,
    `insert into feed_ingestion_state (source, subject, kind, granularity, record_count, oldest_event_at, newest_event_at, watermark_at,
        updated_at, status, status_since)
      select 'binance', 'BTCUSDT', 'candle', '1m', count(*), min(event_at), max(event_at), max(known_at), max(known_at), 'up',
        min(known_at) from feed_records`,
    `insert into inputs (id, schedule_key, era, source, subject, kind, granularity, horizon_ms, step_ms, performed_at, resolvable_at,
        expires_at, missed_before, input, status, answered_at, actuals)
      select ${roundId}, 'BTCUSDT-5m', 1, 'binance', 'BTCUSDT', 'candle', '1m', ${horizonMs}, 60000, ${performed}, ${resolvable},
        ${resolvable} + interval '1 hour', 0, '{"subject": "BTCUSDT", "closes": [100000.5]}',
        case when ${isOpen} then 'RECEIVED' else 'RESOLVED' end, ${performed},
        case when ${isOpen} then null else jsonb_build_object('return', random() - 0.5) end from ${rounds}`,
    `insert into predictions (input_id, model_id, status, output, reason, blame, detail, duration_ms, performed_at, resolvable_at)
      select ${roundId}, 'model-' || m, case when isMissing then 'ABSENT' else 'PENDING' end,
        case when isMissing then null else jsonb_build_object('value', random()) end,
        case when isMissing then 'timeout' end, case when isMissing then 'model' end,
        case when isMissing then 'no answer within 10 s' end, 20 + 10 * random(), ${performed}, ${resolvable}
      from ${rounds}, ${models}, lateral (select (r + m) % 100 = 0) as missing(isMissing)`,
    `insert into scores (input_id, model_id, kind, value, signal, actual, scored_at, contract_version)
      select input_id, model_id, 'valid', jsonb_build_object('value', random() - 0.5, 'hit', random() > 0.5), random(), random(),
        resolvable_at, 1 from predictions where resolvable_at < to_timestamp(${endsAt / 1_000})`,
    `insert into snapshots (id, era, model_id, period_start, period_end, score_count, due_count, answered_count, round_count,
        valid_count, excused_count, unasked, missed, contract_versions, sums, metrics)
      select 'SNAP_model-' || m || '_' || to_char(${period('p')} at time zone 'UTC', 'YYYYMMDD_HH24MISS.MS'), 1, 'model-' || m,
        ${period('p - 1')}, ${period('p')}, 20, 20, 20, 20, 20, 0, ${none}, ${none}, '{"1":20}',
        jsonb_build_object('value', jsonb_build_object('sum', random() - 0.5, 'count', 20)),
        jsonb_build_object('ic', random(), 'hit_rate', random(), 'max_drawdown', random(), 'model_correlation', random())
      from generate_series(1, ${periodCount}) p, ${models}`,
    // One board for all periods: its entries are written anew each time.
    `insert into leaderboards (id, era, as_of, period_start, round_count, worst, missing, first_performed_at, rank_by, direction, entries)
      select 'LBR_' || to_char(${period('p')} at time zone 'UTC', 'YYYYMMDD_HH24MISS.MS'), 1, ${period('p')}, ${period('p - 1')}, 20,
        ${none}, ${none}, ${period('p - 1')}, 'recent', 'desc', entries
      from (select jsonb_agg(jsonb_build_object('modelId', 'model-' || m, 'rank', m, 'unrankedReason', null,
          'windows', jsonb_build_object('recent', random(), 'steady', random(), 'anchor', random()),
          'metrics', jsonb_build_object('ic', random(), 'hit_rate', random(), 'max_drawdown', random(), 'model_correlation', random()),
          'scoreCount', 2880, 'validCount', 2850, 'roundCount', 2880, 'coverage', 0.98958) order by m) as entries
        from ${models}) board, generate_series(1, ${periodCount}) p`,
    `insert into checkpoints (id, era, period_start, period_end, status, snapshot_count, contract_versions, entries, created_at)
      select 'CKP_' || to_char(${period('p')} at time zone 'UTC', 'YYYYMMDD_HH24MISS.MS'), 1, ${period('p - 1008')}, ${period('p')}, 'PENDING',
        1008000, '{"1": 20}', entries, ${period('p')}
      from (select jsonb_agg(jsonb_build_object('modelId', 'model-' || m, 'rank', m, 'value', random(), 'scoreCount', 20160,
          'dueCount', 20160, 'answeredCount', 20160, 'validCount', 20160, 'roundCount', 20160, 'coverage', 1,
          'rewardFrac64', 1000000000 / ${modelCount}, 'unpaidReason', null, 'cruncherIndex', null) order by m) as entries
        from ${models}) board, generate_series(1008, ${Math.max(periodCount, 1008)}, 1008) p`,
    'vacuum analyze',
  ]
}
