import { expect, it } from 'vitest'
import { createProgress } from './progress.ts'

function shownIn(seconds: number, isInteractive: boolean): readonly string[] {
  let now = 0
  const shown: string[] = []
  const progress = createProgress({ err: (text) => void shown.push(text), isInteractive }, () => now)
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
