import { expect, it } from 'vitest'
import { createReportQueue, type QueuedReport } from './report-queue.ts'

it('drops the oldest report when full and returns each report once', () => {
  const queue = createReportQueue(2)
  expect(queue.add(reportOf('a'))).toBeUndefined()
  expect(queue.add(reportOf('b'))).toBeUndefined()
  expect(queue.add(reportOf('c'))).toEqual(reportOf('a'))
  expect(queue.takeFor(new Set(['a', 'b', 'c']))).toEqual([reportOf('b'), reportOf('c')])
  expect(queue.takeFor(new Set(['a', 'b', 'c']))).toEqual([])
})

it('drops reports about deployments that no longer run', () => {
  const queue = createReportQueue(2)
  queue.add(reportOf('a'))
  queue.add(reportOf('b'))
  expect(queue.takeFor(new Set(['b']))).toEqual([reportOf('b')])
  expect(queue.takeFor(new Set(['a']))).toEqual([])
})

function reportOf(deploymentId: string): QueuedReport {
  const report = { model_id: 'm', failure_code: 'MULTIPLE_FAILED', failure_reason: null, ip: '127.0.0.1' } as const
  return { deploymentId, report }
}
