import { expect, it } from 'vitest'
import { prepare } from '../../../ports/store-samples.ts'
import { recentRounds, standingScores } from './progress-store.ts'
import { connect } from './session/connect.ts'
import { useTestStores } from './test-stores.testkit.ts'

const { databaseUrl, open, operator } = useTestStores({ maxConnections: 1 })

it('reads the newest rounds of each schedule by index, independent of the number of other rounds', {
  timeout: 60_000,
}, async () => {
  await prepare(await open())
  const sql = operator()
  // A month with one round per minute, and a month with one round per day. The last week of the daily rounds is void.
  await sql.unsafe(`
    update scheduled_prediction_configs set last_performed_at = '2026-03-31';
    insert into scheduled_prediction_configs
      select 'daily', source, subject, kind, granularity, 86400000, horizon_ms, step_ms, trigger, true, 9, 0, 0, '2026-03-31'
      from scheduled_prediction_configs limit 1;
    insert into inputs (id, schedule_key, source, subject, kind, granularity, horizon_ms, step_ms, performed_at, resolvable_at,
      expires_at, missed_before, input, status, answered_at, void_reason)
    select key || n, key, 's', 's', 's', 's', 1, 1, at, at, at, 0, '{}', 'RESOLVED', at,
      case when key = 'daily' and n < 7 then 'the feed was away' end
    from (values ('BTCUSDT-5m', 43200, interval '1 minute'), ('daily', 30, interval '1 day')) as s(key, count, every),
      generate_series(0, count - 1) n, lateral (select timestamptz '2026-03-31' - n * every as at) a;
    analyze inputs`)
  const { sql: store, cut } = connect({ url: databaseUrl(), keepAlive: {} }, { maxConnections: 1 })
  try {
    const lines = await store`explain (analyze) ${recentRounds(store)}`
    const plan = lines.map((line) => String(line['QUERY PLAN'])).join('\n')
    expect(plan).toContain('Index Scan Backward using inputs_of_schedule')
    expect(plan).not.toContain('Rows Removed by Filter')
    const healthy = await store`explain (analyze) ${standingScores(store)}`
    const scan = healthy.map((line) => String(line['QUERY PLAN'])).filter((line) => line.includes(' on inputs '))
    expect(scan[0]).toContain('using inputs_refused')
    expect(scan.slice(1)).toEqual(scan.slice(1).map(() => expect.stringContaining('never executed')))
  } finally {
    cut()
  }
})
