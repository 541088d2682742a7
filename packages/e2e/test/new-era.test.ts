import { once } from 'node:events'
import { createTestDatabase, type TestDatabase } from '@crunch/embedded-postgres/test-database'
import type postgres from 'postgres'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { connectDatabase, type Node, openNode } from '../src/deployment.ts'
import { changeContract, keepModels } from '../src/edit-workspace.ts'
import { secondsChanges } from '../src/faults/seconds-contract.ts'
import { killHard, processesOf } from '../src/processes.ts'
import { type SecondMarket, startSecondMarket } from '../src/second-market.ts'
import { takeTestWorkspace } from '../src/test-workspace.ts'
import { until } from '../src/until.ts'
import type { UserWorkspace } from '../src/workspace.ts'

// An operator changes the contract of a competition with history, with the installed command and the node's own database.

let workspace: UserWorkspace
let node: Node
let market: SecondMarket
let sql: postgres.Sql
let env: Record<string, string>
let database: TestDatabase

beforeAll(async () => {
  market = await startSecondMarket()
  workspace = await takeTestWorkspace('realtime')
  node = await openNode(workspace)
  await changeContract(node.directory, secondsChanges)
  // With a regular checkpoint after the last round, nothing would be left to close at the end of the era.
  await changeContract(node.directory, [["every: '20s'", "every: '7d'"]])
  await keepModels(node.directory, ['momentum', 'flat'])
  database = await createTestDatabase()
  sql = connectDatabase(database.url)
  env = {
    DATABASE_URL: database.url,
    FEED_BINANCE_REST_URL: market.exchange.restUrl,
    FEED_BINANCE_STREAM_URL: market.exchange.streamUrl,
    FEED_BACKFILL_MINUTES: '5',
    SCORE_INTERVAL_SECONDS: '1',
  }
})

afterAll(async () => {
  await workspace?.remove()
  await sql?.end({ timeout: 1 })
  await database?.drop()
  await market?.close()
})

test('check and deploy refuse a changed contract, naming both sides, and start and write nothing', async () => {
  expect(await deploy()).toMatchObject({ exitCode: 0 })
  await until('a leaderboard', 120_000, async () => (await count('leaderboards')) > 0)
  expect((await node.crunch(['status'], env)).stdout).toMatch(
    /^era 1 since \S+Z, code version 1 \([0-9a-f]{8}\) since \S+Z$/m,
  )
  expect((await node.crunch(['down'], env)).exitCode).toBe(0)

  await changeContract(node.directory, [["direction: 'desc'", "direction: 'asc'"]])
  const before = await contents()
  const checked = await node.crunch(['check'], env)
  const deployed = await deploy()
  for (const { exitCode, text } of [
    { ...checked, text: checked.stdout },
    { ...deployed, text: deployed.stderr },
  ]) {
    expect([exitCode, text]).toEqual([
      1,
      expect.stringMatching(
        /contract\.ts \(leaderboard\.direction\): "desc" in the database since \S+Z, "asc" in the contract\n {2}fix: .*--new-era/,
      ),
    ])
  }
  expect(deployed.stderr).toContain('Nothing was started.')
  expect(await processesOf(node.directory)).toEqual([])
  expect(await contents()).toEqual(before)
})

test('--new-era killed between the two eras is completed by the next start; a repetition changes nothing', async () => {
  // This lock permits reads but delays closing the ended era.
  const holding = connectDatabase(database.url)
  await holding`begin`
  await holding`lock table leaderboards in exclusive mode`
  const confirming = node.startCrunch(['deploy', '--new-era', '--detach'], env)
  const ended = once(confirming, 'exit')
  await until('the new era', 120_000, async () => {
    if (confirming.exitCode !== null) throw new Error(`it ended with ${confirming.exitCode}`)
    return (await count('eras')) === 2
  })
  killHard(confirming.pid ?? 0)
  await ended
  await holding.end({ timeout: 1 })
  expect(await closedBehindEra()).toBe(false)

  // With the flag again, no era begins, and the rest of the ended era is closed before the deployment continues.
  const again = await deploy('--new-era')
  expect(again).toMatchObject({ exitCode: 0 })
  expect(again.stdout).toContain('--new-era: the structure of the contract matches the database; no new era began.')
  expect(again.stdout).toContain('The competition runs, live.')
  expect(await closedBehindEra()).toBe(true)
  expect(await count('eras')).toBe(2)
  expect((await node.crunch(['status'], env)).stdout).toMatch(/^era 2 since /m)
  expect((await node.crunch(['leaderboard'], env)).stdout).toMatch(/^Era 2, since \S+Z\./)
  expect((await node.crunch(['down'], env)).exitCode).toBe(0)
})

test('--new-era prints the changes and the result for the ended era, and continues', async () => {
  await changeContract(node.directory, [["direction: 'asc'", "direction: 'desc'"]])
  const deployed = await deploy('--new-era')
  expect(deployed).toMatchObject({ exitCode: 0 })
  expect(deployed.stdout).toMatch(/^Era 3 began at \S+Z\. Changed: leaderboard\.direction\.$/m)
  expect(deployed.stdout).toMatch(/^Void, so that they count for no model: \d+ open rounds? of era 2\.$/m)
  expect(deployed.stdout).toContain('The competition runs, live.')
  const rounds = await sql`
    select 1 from inputs where era < 3 and (status = 'RECEIVED' or resolvable_at >= (select began_at from eras where number = 3))
      and void_reason is null`
  expect(rounds).toHaveLength(0)
})

function deploy(...flags: string[]) {
  return node.crunch(['deploy', '--detach', ...flags], env)
}

async function count(table: string): Promise<number> {
  const [row] = await sql<{ count: number }[]>`select count(*) as count from ${sql(table)}`
  return row?.count ?? 0
}

/** Whether the last checkpoint of the first era ends where the second era begins. */
async function closedBehindEra(): Promise<boolean> {
  const rows = await sql`
    select 1 from checkpoints c join eras e on e.number = 2 where c.era = 1 and c.period_end = e.began_at`
  return rows.length > 0
}

/** Every row with its version, which changes even if the same value is written. */
async function contents(): Promise<readonly unknown[]> {
  const tables = await sql<{ name: string }[]>`
    select table_name as name from information_schema.tables where table_schema = 'public' order by 1`
  return Promise.all(
    tables.map(async ({ name }) => [name, await sql`select xmin::text, ctid::text from ${sql(name)} order by ctid`]),
  )
}
