import { createReadStream, existsSync } from 'node:fs'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { createGunzip } from 'node:zlib'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type Node, openNode } from '../src/deployment.ts'
import { changeContract, shortenRecording, shortWeatherPeriods } from '../src/edit-workspace.ts'
import { expectEqualRows } from '../src/expect-equal-rows.ts'
import { repositoryRoot } from '../src/repository.ts'
import { simulateRows } from '../src/simulated-rows.ts'
import { readStoredRows, type StoredRows } from '../src/stored-rows.ts'
import { takeTestWorkspace } from '../src/test-workspace.ts'
import { until } from '../src/until.ts'
import type { UserWorkspace } from '../src/workspace.ts'

// One pipeline, two drivers: memory store and PostgreSQL, virtual and replay clock, in-process and gRPC models. All results
// that depend on the data must be identical, row for row. CRUNCH_REPLAYED_DAYS sets the length of the weather recording, which
// has 1,461 days, and CRUNCH_REPLAYED_CANDLES that of the prices.
const days = Number(process.env.CRUNCH_REPLAYED_DAYS ?? 200)
const candleCount = Number(process.env.CRUNCH_REPLAYED_CANDLES ?? 500)

const replayLimitMs = 150_000
const candles = join(repositoryRoot, '../shared/data/series/binance-spot-BTCUSDT-1m-2025-10-MIT.csv.gz')

describe('weather', () => {
  let workspace: UserWorkspace
  let node: Node
  beforeAll(async () => {
    workspace = await takeTestWorkspace('weather')
    node = await openNode(workspace)
  })
  afterAll(() => workspace?.remove())

  test('two simulations have the same digest, and the same rows as the replay', async () => {
    await changeContract(node.directory, shortWeatherPeriods)
    const recording = await shortenRecording(node.directory, days)
    const simulated = await simulatedAlike(node, recording)
    expect(simulated.checkpoints.length).toBeGreaterThan(2)
    expectEqualRows(await replayedRows(node, recording, simulated), simulated)
  })
})

describe('realtime', () => {
  let workspace: UserWorkspace | undefined
  afterAll(() => workspace?.remove())

  test('two simulations and a replay of prices have the same rows', async (context) => {
    const isThere = existsSync(candles)
    if (!isThere && process.env.CI !== 'true') context.skip(`there is no recording ${candles}`)
    expect(isThere, `the recording ${candles}`).toBe(true)

    workspace = await takeTestWorkspace('realtime')
    const node = await openNode(workspace)
    const recording = join(node.directory, 'node/BTCUSDT-1m.csv')
    await writeFile(recording, await firstLines(candles, candleCount + 1))
    const simulated = await simulatedAlike(node, recording)
    expect(simulated.leaderboards.length).toBeGreaterThan(candleCount / 14)
    expectEqualRows(await replayedRows(node, recording, simulated), simulated)
  })
})

/** Simulates it by command and in this process: both results must be equal. */
async function simulatedAlike(node: Node, recording: string): Promise<StoredRows> {
  const digest = await simulatedDigest(node, recording)
  const simulated = await simulateRows(node.directory, recording)
  expect(simulated.digest).toBe(digest)
  return simulated
}

async function simulatedDigest(node: Node, recording: string): Promise<string> {
  const { exitCode, stdout, stderr } = await node.crunch(['simulate', '--recording', recording, '--json'])
  expect(exitCode, stderr).toBe(0)
  const { digest } = JSON.parse(stdout) as { digest: string }
  expect(digest).toMatch(/^[0-9a-f]{64}$/)
  return digest
}

/** The rows of a deployment of the recording, once it has reached the end of the simulation. */
async function replayedRows(node: Node, recording: string, simulated: StoredRows): Promise<StoredRows> {
  await node.deployReplay({ recording })
  const sql = await node.database()
  try {
    // The last rounds are answered after the last truth is known.
    const answeredCount = simulated.inputs.filter(({ answeredAt }) => answeredAt !== null).length
    const resolvedCount = simulated.inputs.filter(({ status }) => status === 'RESOLVED').length
    await until('the replay to come as far as the simulation', replayLimitMs, async () => {
      const [counts] = await sql<{ answered: number; resolved: number; periods: number; checkpoints: number }[]>`
        select (select count(*) from inputs where answered_at is not null) as answered,
          (select count(*) from inputs where status = 'RESOLVED') as resolved,
          (select count(*) from leaderboards) as periods, (select count(*) from checkpoints) as checkpoints`
      return (
        counts?.answered === answeredCount &&
        counts.resolved === resolvedCount &&
        counts.periods === simulated.leaderboards.length &&
        counts.checkpoints === simulated.checkpoints.length
      )
    })
    return await readStoredRows(sql)
  } finally {
    await sql.end({ timeout: 1 })
    await node.crunch(['down'])
  }
}

async function firstLines(path: string, count: number): Promise<string> {
  const lines: string[] = []
  const input = createReadStream(path).pipe(createGunzip())
  for await (const line of createInterface({ input })) {
    lines.push(line)
    if (lines.length === count) break
  }
  input.destroy()
  return `${lines.join('\n')}\n`
}
