import { expect, it } from 'vitest'
import { minute, prediction, prepare, round } from '../../ports/store-samples.ts'
import { reportUnderTest } from '../report-app.testkit.ts'

interface Timing {
  readonly total_records: number
  readonly stage_latencies: readonly { readonly name: string; readonly step: number | string; readonly count: number }[]
  readonly recent_samples: readonly unknown[]
}

it('gives the nine stages of the Python engine in microseconds, and no time that is not measured', async () => {
  const { store, get } = reportUnderTest()
  await prepare(store, ['a', 'b'])
  for (const [count, durationMs] of [10, 30].entries()) {
    const asked = round(count)
    await store.openRound(asked)
    const late = { status: 'ABSENT', output: null, reason: 'timeout', blame: 'model', durationMs: 9_000 } as const
    await store.recordAnswers(asked.id, minute(count) + 80, [
      prediction(asked, 'a', { durationMs }),
      prediction(asked, 'b', late),
    ])
  }
  const { body } = await get<Timing>('/timing-metrics')
  expect(body.stage_latencies.map(({ name, step }) => [name, step])).toEqual([
    ...[
      ['feed_ingestion', 1],
      ['feed_persistence', 2],
      ['notify_latency', 3],
      ['data_loading', 4],
      ['pre_model', 5],
    ],
    ...[
      ['model_execution', 6],
      ['post_model', 7],
      ['callback_execution', 8],
      ['prediction_persistence', 9],
    ],
    ['end_to_end', 'total'],
  ])
  const of = (name: string) => body.stage_latencies.find((stage) => stage.name === name)
  expect(of('model_execution')).toMatchObject({
    ...{ count: 2, mean_us: 20_000, median_us: 20_000, min_us: 10_000, max_us: 30_000, pct_of_total: 25 },
  })
  expect(of('end_to_end')).toMatchObject({ count: 2, mean_us: 80_000, pct_of_total: 100 })
  expect(of('pre_model')).toMatchObject({ count: 0, mean_us: null, p99_us: null, pct_of_total: null })
  expect(body.total_records).toBe(2)
  expect(body.recent_samples.at(-1)).toEqual({
    ...{ prediction_id: prediction(round(1), 'a').id, performed_us: minute(1) * 1_000, model_execution_us: 30_000 },
  })
  expect((await get('/timing-metrics?limit=0')).status).toBe(422)
  expect((await get('/timing-metrics?limit=10001')).status).toBe(422)
})
