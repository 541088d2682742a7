import { describe, expect, expectTypeOf, it } from 'vitest'
import { replayReport } from '../../../test/report-replay.ts'
import { createReportClient, ReportError } from './create-report-client.ts'

async function client() {
  const { app } = await replayReport()
  return createReportClient('http://node/', { fetch: async (url, init) => app.request(String(url), init) })
}

describe('the client', () => {
  it('has the types of the routes', async () => {
    const node = await client()
    const rows = await node.get('/reports/leaderboard', { query: { include_ensembles: true } })
    expectTypeOf(rows[0]?.rank).toEqualTypeOf<number | null | undefined>()
    expect(rows[0]).toMatchObject({ model_id: 'oracle', rank: 1 })
    const predictions = await node.get('/reports/predictions', { query: { projectIds: ['flat', 'trend'], limit: 4 } })
    expect(predictions.map((row) => row.model_id)).toEqual(['flat', 'trend', 'flat', 'trend'])
    // @ts-expect-error such a route does not exist
    await expect(node.get('/reports/leaderbord')).rejects.toThrow('Did you mean /reports/leaderboard?')
  })

  it('reads a list page by page', async () => {
    const node = await client()
    const ids: string[] = []
    let cursor: string | undefined
    do {
      const { rows, next } = await node.page('/reports/rounds', { query: { limit: 40, cursor } })
      ids.push(...rows.map(({ id }) => id))
      cursor = next ?? undefined
    } while (cursor !== undefined)
    const all = await node.get('/reports/rounds', { query: { limit: 500 } })
    expect([ids.length > 80, ids]).toEqual([true, all.map(({ id }) => id)])
  })

  it('rejects with the problem of the node', async () => {
    const error = await (await client()).get('/reports/predictions', { query: { limit: 0 } }).catch((reason) => reason)
    expect(error).toBeInstanceOf(ReportError)
    expect(error).toMatchObject({ status: 422, fieldErrors: [{ property: 'limit' }], requestId: expect.any(String) })
  })

  it('says so when another program answers', async () => {
    const node = createReportClient('http://node', { fetch: async () => new Response('<html>') })
    await expect(node.get('/info')).rejects.toThrow('the response is not JSON: another program listens there')
  })
})
