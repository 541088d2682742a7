import { openPostgresStore, resolveContract } from '@crunch/coordinator-node/internal'
import realtime from '../../../../templates/node/contract.ts'
import { createRanking, type Log, withPlainClient } from '../engine.ts'
import type { Figures } from '../measurements.ts'
import { median } from '../percentile.ts'

const modelCount = 1_000
const periodCount = 1_000
const openCount = 3
const periodMs = 600_000
const beganAt = 27_000_000 * 60_000
const endsAt = beganAt + periodCount * periodMs

/**
 * How long a score worker takes, after its start, to rank the models over a window of 1,000,000 stored snapshots, and how much
 * memory it needs for them; and the same for reading them in one statement, as it did before.
 */
export async function openWindow(databaseUrl: string, log: Log): Promise<Figures> {
  const store = await openPostgresStore({ url: databaseUrl })
  try {
    await withPlainClient(databaseUrl, async ({ sql }) => {
      for (const statement of statements) await sql.unsafe(statement)
    })
    log.info('the snapshots are written')
    const contract = {
      ...realtime,
      leaderboard: { ...realtime.leaderboard, windows: { all: '7d' } as const, rankBy: 'all' as const },
    }
    const resolved = resolveContract(contract)
    const models = await store.models()
    const rounds = {
      ...{ periodStart: endsAt, periodEnd: endsAt + periodMs, roundCount: 0, firstPerformedAt: endsAt },
      ...{ worst: { sum: 0, count: 0 }, missing: { sum: 0, count: 0 } },
    }
    const opened: number[] = []
    const next: number[] = []
    const before = process.resourceUsage().maxRSS
    const grownBy = () => (process.resourceUsage().maxRSS - before) / 1_000
    let openedMemory = 0
    for (let count = 0; count < openCount; count += 1) {
      const ranking = createRanking(resolved, store)
      const startedAt = performance.now()
      await ranking.rank(models, endsAt, { rounds, snapshots: [] })
      const openedAt = performance.now()
      if (count === 0) openedMemory = grownBy()
      ranking.closed({ rounds, snapshots: [] })
      const later = { ...rounds, periodStart: rounds.periodEnd, periodEnd: rounds.periodEnd + periodMs }
      const board = await ranking.rank(models, rounds.periodEnd, { rounds: later, snapshots: [] })
      next.push(performance.now() - openedAt)
      opened.push((openedAt - startedAt) / 1_000)
      const least = Math.min(...board.entries.map(({ scoreCount }) => scoreCount))
      if (least < 19_000) throw new Error(`a model has ${least} scores in the window`)
    }
    const readAt = performance.now()
    const snapshots = await store.snapshotsBetween(beganAt, endsAt)
    if (snapshots.length !== modelCount * periodCount) throw new Error(`${snapshots.length} snapshots were read`)
    return {
      opened: median(opened),
      openedMemory,
      next: median(next),
      atOnce: (performance.now() - readAt) / 1_000,
      atOnceMemory: grownBy(),
    }
  } finally {
    await store.close()
  }
}

const at = (period: string) => `to_timestamp(${beganAt / 1_000}::float8 + (${period}) * ${periodMs / 1_000})`
const none = `'{"sum":0,"count":0}'`

/** As the engine writes them, for a thousand models with two score fields and four metrics. */
const statements = [
  `insert into models
    select 'model-' || m, 'model ' || m, 'd', 'c', 'C', ${at('0')} from generate_series(1, ${modelCount}) m`,
  `insert into leaderboards (id, era, as_of, period_start, round_count, worst, missing, first_performed_at, rank_by,
    direction, entries)
    select 'LBR_' || p, 1, ${at('p')}, ${at('p - 1')}, 20, ${none}, ${none}, ${at('p - 1')}, 'all', 'desc', '[]'
    from generate_series(1, ${periodCount}) p`,
  `insert into snapshots (id, era, model_id, period_start, period_end, score_count, due_count, answered_count, round_count,
    valid_count, excused_count, unasked, missed, contract_versions, sums, metrics)
    select 'SNAP_model-' || m || '_' || to_char(${at('p')}, 'YYYYMMDD_HH24MISS.MS'), 1, 'model-' || m, ${at('p - 1')},
      ${at('p')}, 20, 20, 20, 20, 20, 0, ${none}, ${none}, '{"1":20}',
      jsonb_build_object('value', jsonb_build_object('sum', random() - 0.5, 'count', 20),
        'hit', jsonb_build_object('sum', 11, 'count', 20)),
      jsonb_build_object('ic', random(), 'hit_rate', random(), 'max_drawdown', random(), 'model_correlation', random())
    from generate_series(1, ${periodCount}) p, generate_series(1, ${modelCount}) m`,
  'vacuum analyze',
]
