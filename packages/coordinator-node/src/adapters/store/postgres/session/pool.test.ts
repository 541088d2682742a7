import { expect, it } from 'vitest'
import { useTestStores } from '../test-stores.testkit.ts'
import type { Sql } from './connect.ts'
import { createPool, type Pool } from './pool.ts'

const limits = { statementMs: 2_000, callMs: 3_000, pingEveryMs: 1_000, pingMs: 1_000 }
const { openProxy, onEnd } = useTestStores({})

async function openPool() {
  const proxy = await openProxy()
  const pool: Pool<Sql> = createPool({ url: proxy.url, keepAlive: {} }, { maxConnections: 2, limits }, (sql) => sql)
  onEnd(() => pool.close())
  return { proxy, sleep: (seconds: number) => pool.run(async (sql) => sql`select pg_sleep(${seconds}::float8)`) }
}

const outcomes = async (calls: readonly Promise<unknown>[]) =>
  (await Promise.allSettled(calls)).map((call) => (call.status === 'fulfilled' ? 'answered' : String(call.reason)))

it('rejects calls that wait too long, without interrupting the statements of others', async () => {
  const { proxy, sleep } = await openPool()
  // Twice the work that two connections can do within the time limit of a call.
  const found = await outcomes(Array.from({ length: 24 }, () => sleep(0.5)))
  const late = found.filter((outcome) => outcome !== 'answered')
  expect(late.length).toBeGreaterThan(0)
  for (const outcome of late) expect(outcome).toContain('was busy for 3 s with other calls')
  // Statements of rejected calls are not sent.
  expect(await outcomes([sleep(0), sleep(0)])).toEqual(['answered', 'answered'])
  expect(proxy.connectionCount()).toBe(2)
})

it('gives up a half-open connection, and lets the statements on the others finish', async () => {
  const { proxy, sleep } = await openPool()
  await sleep(0)
  proxy.strand()
  const stranded = outcomes([sleep(0)])
  let isOver = false
  void stranded.finally(() => {
    isOver = true
  })
  while (!isOver) await sleep(0.2)
  expect(await stranded).toEqual([expect.stringContaining('did not answer within 3 s')])
  expect(await outcomes([sleep(0.1), sleep(0.1)])).toEqual(['answered', 'answered'])
  // The stranded socket is also closed, not just unused.
  proxy.release()
  await expect.poll(() => proxy.clientCount(), { timeout: 10_000 }).toBe(2)
})
