import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type Node, openNode } from '../src/deployment.ts'
import { changeContract, keepModels, recordedWeather, writeWeather } from '../src/edit-workspace.ts'
import { expectEqualRows } from '../src/expect-equal-rows.ts'
import { postmasterPid } from '../src/processes.ts'
import { simulateRows } from '../src/simulated-rows.ts'
import { isRetired, type PredictionRow, readStoredRows, type StoredRows } from '../src/stored-rows.ts'
import { takeTestWorkspace } from '../src/test-workspace.ts'
import { until } from '../src/until.ts'
import type { UserWorkspace } from '../src/workspace.ts'

// Faults of models, data, the author's scorer and the database, with real processes.

const subjectCount = 2
const limitMs = 120_000

describe('models that misbehave among good ones', () => {
  // Fewer rounds than the 20 consecutive time-outs that would trigger a health check of the runner.
  const days = 6
  const good = ['persistence', 'climatology']
  /** Body of `predict`, and the possible recorded outcomes. */
  const bad: Readonly<Record<string, { readonly predict: string; readonly outcomes: readonly string[] }>> = {
    hangs: { predict: 'for (;;) {}', outcomes: ['ABSENT timeout'] },
    'never-answers': { predict: 'return new Promise(() => {})', outcomes: ['ABSENT timeout', 'ABSENT busy'] },
    garbage: { predict: "return 'no idea'", outcomes: ['FAILED invalid_output'] },
    'not-a-number': { predict: 'return NaN', outcomes: ['FAILED invalid_output'] },
    // Values that JSON cannot represent do not leave the model's process: its runner reports an exception of the model.
    'no-number-inside': { predict: 'return { mean: NaN, std: 1 }', outcomes: ['FAILED model_error'] },
    large: {
      predict: "return { mean: 1, std: 1, ballast: 'x'.repeat(6_000_000) }",
      outcomes: ['FAILED output_too_large', 'ABSENT timeout'],
    },
    huge: {
      predict: "return { mean: 1, std: 1, ballast: 'x'.repeat(50_000_000) }",
      outcomes: ['FAILED output_too_large', 'ABSENT timeout', 'ABSENT busy'],
    },
    exits: { predict: 'process.exit(1)', outcomes: ['ABSENT not_running'] },
    throws: { predict: "throw new Error('no forecast today')", outcomes: ['FAILED model_error'] },
  }
  let workspace: UserWorkspace
  let rows: StoredRows

  beforeAll(async () => {
    workspace = await takeTestWorkspace('weather')
    const node = await openNode(workspace)
    await writeModels(node.directory, [...good, ...Object.keys(bad)])
    for (const [name, { predict }] of Object.entries(bad)) await writeModel(node.directory, name, predict)
    const recording = await writeWeather(node.directory, 'short.csv', await recordedWeather(node.directory, days))
    await node.deployReplay({ recording, env: { MODEL_RUNNER_TIMEOUT_SECONDS: '3' } })
    await settled(node, days * subjectCount)
    await until('a leaderboard', limitMs, async () => (await storedRows(node)).leaderboards.length > 0)
    rows = await storedRows(node)
  })
  afterAll(() => workspace?.remove())

  test.each(good)('%s gets every prediction', (name) => {
    const outcomes = predictionsOf(name).map(({ status, resolvableAt }) => [status, resolvableAt])
    const last = Math.max(...rows.inputs.map(({ resolvableAt }) => resolvableAt))
    expect(outcomes).toEqual(
      rows.inputs.map(({ resolvableAt }) => [resolvableAt === last ? 'PENDING' : 'SCORED', resolvableAt]),
    )
  })

  test.each(Object.entries(bad))(
    '%s has a row with reason and blame "model" for every round until it is retired',
    (name, { outcomes }) => {
      const predictions = predictionsOf(name)
      const model = rows.models.find((one) => one.name === name)
      const isAsked = ({ performedAt }: { readonly performedAt: number }) =>
        model !== undefined && !isRetired(model, performedAt)
      expect(predictions).toHaveLength(rows.inputs.filter(isAsked).length)
      expect(predictions.filter(({ blame }) => blame !== 'model')).toEqual([])
      const seen = predictions.map(({ status, reason }) => `${status} ${reason}`)
      expect(predictions.filter(({ status, reason }) => !outcomes.includes(`${status} ${reason}`))).toEqual([])
      // A slow machine may never receive 50 MB in time.
      if (name !== 'huge') expect(seen).toContain(outcomes[0])
      expect(predictions.every(({ detail }) => (detail ?? '') !== '')).toBe(true)
      if (name === 'throws') expect(predictions[0]?.detail).toContain('no forecast today')
    },
  )

  test('all models are ranked, the good ones first', () => {
    const entries = rows.leaderboards.at(-1)?.entries ?? []
    const nameOf = (id: string) => rows.models.find((model) => model.id === id)?.name
    const coverage = entries.map(({ modelId, coverage }) => [nameOf(modelId), coverage])
    expect(coverage).toHaveLength(good.length + Object.keys(bad).length)
    expect(
      coverage
        .filter(([, share]) => share === 1)
        .map(([name]) => name)
        .sort(),
    ).toEqual([...good].sort())
    expect(coverage.filter(([, share]) => share === 0)).toHaveLength(Object.keys(bad).length)
    expect(good).toContain(coverage[0]?.[0])
  })

  function predictionsOf(name: string): readonly PredictionRow[] {
    const id = rows.models.find((model) => model.name === name)?.id
    return rows.predictions.filter(({ modelId }) => modelId === id)
  }
})

describe('data, a scorer and a database that misbehave', () => {
  const days = 90
  const gap = { from: 50, to: 54 }
  let workspace: UserWorkspace
  let node: Node
  let lines: readonly string[]

  beforeAll(async () => {
    workspace = await takeTestWorkspace('weather')
    node = await openNode(workspace)
    await keepModels(node.directory, ['persistence', 'climatology', 'trend'])
    lines = await recordedWeather(node.directory, days)
    await changeContract(node.directory, [
      [
        'compute: ({ output, truth }) => scorePrediction(output, truth.tempMax),',
        `compute: ({ output, truth, round }) => {
          if (round.subject === 'New York' && truth.tempMax < 3 && truth.tempMax > 0) throw new Error('too cold to tell')
          return scorePrediction(output, truth.tempMax)
        },`,
      ],
    ])
  })
  afterAll(() => workspace?.remove())

  test('gaps, duplicates, revisions, disorder and failing scores give the same reported results simulated and replayed', async () => {
    const withGap = lines.filter((_line, index) => index < gap.from * 2 || index >= gap.to * 2)
    const clean = await writeWeather(node.directory, 'clean.csv', withGap)
    const dirty = await writeWeather(node.directory, 'dirty.csv', withMess(withGap))
    const simulated = await simulateRows(node.directory, dirty)
    expect(simulated.digest).toBe((await simulateRows(node.directory, clean)).digest)

    await node.deployReplay({ recording: dirty })
    await settled(node, withGap.length)
    const rows = await storedRows(node)
    const states = await query(
      node,
      (sql) => sql<{ records: number; revisions: number }[]>`
      select sum(record_count)::int as records, sum(revision_count)::int as revisions from feed_ingestion_state`,
    )
    const missed = await query(
      node,
      (sql) => sql<{ missed: number }[]>`
      select missed_count as missed from scheduled_prediction_configs`,
    )
    await node.crunch(['down'])
    expectEqualRows(rows, simulated)
    expect(states).toEqual([{ records: withGap.length, revisions: 1 }])
    // The round before the gap opened but had no truth; rounds within the gap did not open.
    expect(missed.map((row) => row.missed)).toEqual([gap.to - gap.from, gap.to - gap.from])
    const voided = rows.inputs.filter(({ voidReason }) => voidReason !== null)
    expect(voided).toHaveLength(subjectCount)
    const ofVoid = rows.predictions.filter(({ inputId }) => voided.some(({ id }) => id === inputId))
    expect(new Set(ofVoid.map(({ status, reason, blame }) => `${status} ${reason} ${blame}`))).toEqual(
      new Set(['FAILED truth_unavailable coordinator']),
    )
    const failed = rows.scores.filter(({ kind }) => kind === 'failed')
    expect(failed.length).toBeGreaterThan(0)
    expect(new Set(failed.map(({ value }) => value))).toEqual(new Set([null]))
    // Each reason names the same line of the author's file.
    expect([...new Set(failed.map(({ reason }) => reason))]).toEqual([
      expect.stringMatching(/^score\.compute failed at node\/contract\.ts:\d+: too cold to tell$/),
    ])
    expect(rows.scores.filter(({ kind }) => kind === 'valid').length).toBeGreaterThan(failed.length)
  })

  test('a stopped database is restarted, and the replay continues', async () => {
    const recording = await writeWeather(node.directory, 'steady.csv', lines)
    // Ten days per second.
    await node.deployReplay({ recording, speed: 10 * 86_400 })
    await until('the first rounds', limitMs, async () => (await openedCount(node)) >= 20)
    const stopped = await postmasterPid(node.directory)
    expect(stopped).toBeDefined()
    process.kill(stopped ?? 0, 'SIGINT')
    await until('another server', limitMs, async () => {
      const pid = await postmasterPid(node.directory)
      return pid !== undefined && pid !== stopped
    })
    await until('every service to serve again', limitMs, async () =>
      Object.values(await node.services()).every(({ state }) => state === 'ready'),
    )
    expect((await node.services()).postgres?.restarts).toBe(1)
    await settled(node, lines.length)
    const rows = await storedRows(node)
    const lost = lines.length - rows.inputs.length
    expect(lost).toBeLessThanOrEqual(subjectCount)
    for (const { id } of rows.inputs) {
      const answers = rows.predictions.filter(({ inputId }) => inputId === id)
      expect(
        answers.map(({ modelId }) => modelId),
        id,
      ).toEqual(['1', '2', '4'])
    }
    const missing = rows.predictions.filter(({ status }) => status === 'FAILED' || status === 'ABSENT')
    expect(missing.filter(({ blame }) => blame !== 'coordinator')).toEqual([])
  })
})

/** The same data with immediate and later duplicates, one revision, and some rows out of order. */
function withMess(lines: readonly string[]): readonly string[] {
  const mess = [...lines]
  const early = mess[20] ?? ''
  mess.splice(21, 0, early)
  mess.splice(60, 0, early)
  mess.splice(80, 0, early.replace(/[^,]*$/, '99'))
  for (const place of [120, 140]) mess.splice(place, 6, ...mess.slice(place, place + 6).reverse())
  return mess
}

async function writeModels(directory: string, names: readonly string[]): Promise<void> {
  const entries = names.map((name, index) =>
    [
      `  - id: "${index + 1}"`,
      `    submission_id: ${name}`,
      '    desired_state: RUNNING',
      `    model_name: ${name}`,
      // The pack's baseline must belong to the organizer, or it would be refused.
      `    cruncher_id: ${name === 'climatology' ? 'organizer' : `local-${index + 1}`}`,
    ].join('\n'),
  )
  const path = 'node/deployment/model-orchestrator-local/config/models.dev.yml'
  await writeFile(join(directory, path), `models:\n${entries.join('\n')}\n`)
}

async function writeModel(directory: string, name: string, predict: string): Promise<void> {
  const folder = join(directory, 'node/deployment/model-orchestrator-local/data/submissions', name)
  await mkdir(folder)
  await writeFile(
    join(folder, 'main.ts'),
    `import { TrackerBase } from 'e2e-weather-challenge'\n\nexport class Bad extends TrackerBase {\n  override predict(): never {\n    // @ts-expect-error it answers wrongly\n    ${predict}\n  }\n}\n`,
  )
}

/** Waits until all records are stored, every due round is resolved, and its period is closed. */
async function settled(node: Node, recordCount: number): Promise<void> {
  await until(`${recordCount} records to be settled`, limitMs, async () => {
    const [state] = await query(
      node,
      (sql) => sql<{ records: number; ended: number; due: number; open: number }[]>`
      with now as (select max(watermark_at) as at, sum(record_count)::int as records,
        count(*) filter (where status_reason = 'the recording has ended') as ended from feed_ingestion_state)
      select records, ended,
        (select count(*) from inputs i where i.status = 'RECEIVED' and resolvable_at <= now.at) as due,
        (select count(*) from inputs where resolvable_at <= now.at - interval '12 days'
          and resolvable_at >= coalesce((select max(as_of) from leaderboards), '-infinity')) as open
      from now`,
    )
    return state?.records === recordCount && state.ended === subjectCount && state.due === 0 && state.open === 0
  })
}

async function storedRows(node: Node): Promise<StoredRows> {
  return query(node, readStoredRows)
}

async function openedCount(node: Node): Promise<number> {
  const [row] = await query(node, (sql) => sql<{ count: number }[]>`select count(*) as count from inputs`)
  return row?.count ?? 0
}

async function query<Result>(node: Node, ask: (sql: Awaited<ReturnType<Node['database']>>) => PromiseLike<Result>) {
  const sql = await node.database()
  try {
    return await ask(sql)
  } finally {
    await sql.end({ timeout: 1 })
  }
}
