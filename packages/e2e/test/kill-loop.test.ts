import { setTimeout } from 'node:timers/promises'
import type postgres from 'postgres'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { seededRandom } from '../../coordinator-node/test/seeded-random.ts'
import { type Node, openNode } from '../src/deployment.ts'
import { changeContract, keepModels, shortenRecording, shortWeatherPeriods } from '../src/edit-workspace.ts'
import { killRandomly, unlessAway, type Victim } from '../src/kill-loop.ts'
import { expectRecomputed } from '../src/recompute/expect-recomputed.ts'
import { shortWeatherCompetition } from '../src/recompute/recompute.ts'
import { byInput, type ScheduleCounts, uncountedRounds, unsettledRows, wrongAnswerRows } from '../src/row-checks.ts'
import { readStoredRows, type StoredRows } from '../src/stored-rows.ts'
import { takeTestWorkspace } from '../src/test-workspace.ts'
import { until } from '../src/until.ts'
import type { UserWorkspace } from '../src/workspace.ts'

// CRUNCH_KILLS sets the number of kills, CRUNCH_SEED their targets; the output of a run contains its seed.
const killCount = Number(process.env.CRUNCH_KILLS ?? 4)
const seed = Number(process.env.CRUNCH_SEED ?? Date.now() % 2 ** 31)

const dayMs = 86_400_000
/** The recording lasts about as long as the kills, and has at most 1,461 days. */
const days = Math.min(1_461, killCount * 100)
const daysPerSecond = 20
/** Far more than a replay needs: on a busy machine, 1,461 days have taken more than 4 minutes. */
const finishLimitMs = 600_000
const stableMs = 2_000

describe(`a replay during which ${killCount} processes are killed`, () => {
  let workspace: UserWorkspace
  let rows: StoredRows
  let watermark: number
  let killed: readonly Victim[]
  let counters: readonly ScheduleCounts[]
  let records: readonly { readonly subject: string; readonly knownAt: number; readonly tempMax: number }[]
  let recordedCount: number

  beforeAll(
    async () => {
      workspace = await takeTestWorkspace('weather')
      const node = await openNode(workspace)
      await keepModels(node.directory, ['persistence', 'climatology', 'trend'])
      await changeContract(node.directory, shortWeatherPeriods)
      await shortenRecording(node.directory, days)
      // One record per day and city.
      recordedCount = 2 * days
      const speed = daysPerSecond * 86_400
      console.log(`kill loop: ${killCount} kills, seed ${seed}, ${days} days`)
      await node.deployReplay({ speed })
      killed = await killRandomly(node, killCount, seededRandom(seed), () => node.deployReplay({ speed, resume: true }))
      await finished(node)
      const sql = await node.database()
      try {
        rows = await readStoredRows(sql)
        watermark = await watermarkOf(sql)
        counters = await sql`
          select key, opened_count as opened, missed_count as missed from scheduled_prediction_configs order by key`
        records = await sql`
          select subject, known_at as "knownAt", ("values"->>'temp_max')::float8 as "tempMax" from feed_records order by known_at`
      } finally {
        await sql.end({ timeout: 1 })
      }
      console.log(summary(killed, rows, counters))
    },
    finishLimitMs + killCount * 10_000 + 180_000,
  )
  afterAll(() => workspace?.remove())

  test('every record is stored once', () => {
    expect(records).toHaveLength(recordedCount)
  })

  test('every round has exactly one row per model that took part in it', () => {
    expect(rows.inputs.length).toBeGreaterThan(recordedCount / 2)
    expect(wrongAnswerRows(rows)).toEqual([])
  })

  test('a round that did not open is counted as missed, and a kill costs at most one instant', () => {
    expect(uncountedRounds(rows, counters, dayMs)).toEqual([])
    for (const { missed } of counters) expect(missed).toBeLessThanOrEqual(killed.length)
  })

  test('everything resolvable is in a terminal state', () => {
    expect(unsettledRows(rows, watermark)).toEqual([])
  })

  test('every truth follows from the records, and every score from its truth', () => {
    const known = new Map(records.map(({ subject, knownAt, tempMax }) => [`${subject} ${knownAt}`, tempMax]))
    const inputs = new Map(rows.inputs.map((input) => [input.id, input]))
    const scores = new Map(rows.scores.map((score) => [score.predictionId, score]))
    expect(scores.size).toBe(rows.scores.length)
    for (const { id, subject, resolvableAt, status, voidReason, actuals } of rows.inputs) {
      if (status !== 'RESOLVED' || voidReason !== null) continue
      expect([id, actuals]).toEqual([id, { tempMax: known.get(`${subject} ${resolvableAt}`) }])
    }
    for (const [inputId, predictions] of byInput(rows.predictions)) {
      const input = inputs.get(inputId)
      if (input?.status !== 'RESOLVED' || input.voidReason !== null) continue
      const truth = (input.actuals as { tempMax: number }).tempMax
      const crps = (id: string) => scores.get(id)?.value?.crps as number
      const valid = predictions.filter(({ status }) => status === 'SCORED')
      const worst = Math.max(...valid.map(({ id }) => crps(id)))
      for (const { id, status, blame, output } of predictions) {
        const score = scores.get(id)
        if (status === 'SCORED') {
          const { mean, std } = output as { mean: number; std: number }
          expect([id, score?.kind, score?.value?.error]).toEqual([id, 'valid', mean - truth])
          // Between the score of a certain forecast and that of an uninformative one.
          expect(crps(id)).toBeLessThanOrEqual(Math.abs(mean - truth) + std)
        } else {
          const isImputed = blame === 'model' && valid.length > 0
          expect([id, score?.kind, score?.value?.crps]).toEqual(
            isImputed ? [id, 'imputed', worst] : [id, undefined, undefined],
          )
        }
      }
    }
  })

  test('snapshots, leaderboards and checkpoints follow from the tables', () => {
    expect(rows.leaderboards.length).toBeGreaterThan(days / 6)
    expect(rows.checkpoints.length).toBeGreaterThanOrEqual(Math.floor(days / 50) - 1)
    expectRecomputed(rows, shortWeatherCompetition)
  })
})

/** Waits until the recording has ended, every service is ready again, and nothing changes any more. */
async function finished(node: Node): Promise<void> {
  let last: unknown = 'the database is down'
  await until('the replay to end and everything to be settled', finishLimitMs, async () => {
    // The database may still be starting after the last kill.
    const before = await unlessAway(() => progress(node))
    last = before ?? last
    if (before === undefined || before.ended < 2 || before.due > 0) return false
    const services = await node.services()
    last = { ...before, services }
    if (!Object.values(services).every(({ state }) => state === 'ready')) return false
    await setTimeout(stableMs)
    return JSON.stringify(await progress(node)) === JSON.stringify(before)
  }).catch((error: unknown) => {
    throw new Error(`${error}; last seen: ${JSON.stringify(last)}`, { cause: error })
  })
}

async function progress(node: Node) {
  const sql = await node.database()
  try {
    const [row] = await sql<{ ended: number; due: number; periods: number; checkpoints: number }[]>`
      select (select count(*) from feed_ingestion_state where status_reason = 'the recording has ended') as ended,
        (select count(*) from inputs i where status = 'RECEIVED'
          and resolvable_at <= (select max(watermark_at) from feed_ingestion_state)) as due,
        (select count(*) from leaderboards) as periods, (select count(*) from checkpoints) as checkpoints`
    if (row === undefined) throw new Error('counting gave no row')
    return row
  } finally {
    await sql.end({ timeout: 1 })
  }
}

async function watermarkOf(sql: postgres.Sql): Promise<number> {
  const [row] = await sql<{ at: number }[]>`select max(watermark_at) as at from feed_ingestion_state`
  if (row === undefined) throw new Error('there is no feed')
  return row.at
}

function summary(
  killed: readonly Victim[],
  { models, inputs, predictions, scores, snapshots, leaderboards, checkpoints }: StoredRows,
  counters: readonly { readonly key: string; readonly missed: number }[],
): string {
  const count = (names: readonly string[]) =>
    [...new Set(names)]
      .sort()
      .map((name) => `${name} ${names.filter((other) => other === name).length}`)
      .join(', ')
  const outcomes = predictions.map(({ status, reason, blame }) =>
    reason === null ? status : `${status} ${reason} (${blame})`,
  )
  return [
    `killed: ${count(killed)}`,
    `retired: ${count(models.flatMap(({ id, retirements }) => retirements.map(({ reason }) => `model ${id} (${reason})`)))}`,
    `rounds: ${inputs.length}, void ${inputs.filter(({ voidReason }) => voidReason !== null).length}`,
    `missed: ${counters.map(({ key, missed }) => `${key} ${missed}`).join(', ')}`,
    `predictions: ${predictions.length}; ${count(outcomes)}`,
    `scores: ${count(scores.map(({ kind }) => kind))}`,
    `snapshots ${snapshots.length}, leaderboards ${leaderboards.length}, checkpoints ${checkpoints.length}`,
  ].join('\n')
}
