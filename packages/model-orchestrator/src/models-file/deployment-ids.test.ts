import { expect, it } from 'vitest'
import { createDeploymentIds } from './deployment-ids.ts'

it('contains the time and is unique, even within one millisecond or after the clock was set back', () => {
  const instants = [0, 0, -5_000, 10]
  const next = createDeploymentIds(() => Date.UTC(2025, 8, 15, 14, 30, 34, 791) + (instants.shift() ?? 0))
  expect([next('a'), next('a'), next('b'), next('a')]).toEqual([
    'a_20250915_143034_791',
    'a_20250915_143034_792',
    'b_20250915_143034_793',
    'a_20250915_143034_801',
  ])
})
