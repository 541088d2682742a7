import { expect, it } from 'vitest'
import { replayReport } from '../../../../test/report-replay.ts'
import { reportUnderTest } from '../../report-app.testkit.ts'
import { checkpointPreview } from './preview.ts'

interface Preview {
  readonly period_start: string
  readonly counted_until: string
  readonly period_end: string
  readonly meta: { readonly ranking: readonly { readonly reward_pct: number; readonly unpaid_reason: string | null }[] }
  readonly open_rounds: readonly object[]
}

it('says who would be paid what, why others would not, and which rounds are open, without their answers', async () => {
  const { get } = await replayReport()
  const { status, body } = await get<Preview>('/reports/checkpoints/preview')
  expect([status, checkpointPreview.answer.parse(body)]).toEqual([200, body])
  expect(body).toMatchObject({ period_start: '2026-03-01T11:30:00.000Z', period_end: '2026-03-01T12:00:00.000Z' })
  expect(body.open_rounds.length).toBeGreaterThan(0)
  expect(JSON.stringify(body.open_rounds)).not.toMatch(/output|truth/)
  for (const { reward_pct, unpaid_reason } of body.meta.ranking) expect(reward_pct > 0).toBe(unpaid_reason === null)
})

it('takes no parameters, and says so where the node cannot preview', async () => {
  const { get } = reportUnderTest()
  expect((await get('/reports/checkpoints/preview')).status).toBe(404)
  expect((await get('/reports/checkpoints/preview?at=now')).status).toBe(422)
})
