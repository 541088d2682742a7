import { expect, it } from 'vitest'
import { showProgress } from '../backfill/show-progress.ts'
import type { BackfillJob } from '../engine.ts'
import { createProgress } from './progress.ts'

function shownIn(seconds: number, isErrInteractive: boolean): readonly string[] {
  let now = 0
  const shown: string[] = []
  const progress = createProgress({ err: (text) => void shown.push(text), isErrInteractive }, () => now)
  for (let second = 0; second <= seconds; second++) {
    now = second * 1_000
    progress(() => `${second} s`)
  }
  return shown
}

it('prints a line per second to a terminal', () => {
  expect(shownIn(3, true)).toEqual(['1 s', '2 s', '3 s'])
})

it('prints a line per minute elsewhere', () => {
  expect(shownIn(130, false)).toEqual(['60 s', '120 s'])
})

it('prints the progress of a backfill once a minute without a terminal, and redraws no line', () => {
  let nowMs = 0
  const printed: [string, number | undefined][] = []
  const err = (text: string, over?: number) => void printed.push([text, over])
  const progress = showProgress(job, { err, isErrInteractive: false }, () => nowMs)
  for (; nowMs <= 130_000; nowMs += 1_000) progress.show({ ...job, recordCount: nowMs / 1_000 })
  expect(printed.map(([, over]) => over)).toEqual([0, 0, 0])
  expect(printed.map(([text]) => /(\d+) records/.exec(text)?.[1])).toEqual(['0', '60', '120'])
})

const job: BackfillJob = {
  ...{
    id: '1',
    scope: { source: 's', subject: 'a', kind: 'tick', granularity: '1m' },
    target: 'tables',
    directory: null,
  },
  ...{
    from: 0,
    to: 1_000_000,
    cursor: 0,
    recordCount: 0,
    pageCount: 0,
    status: 'running',
    runBy: 'command',
    error: null,
    createdAt: 0,
    updatedAt: 0,
  },
}
