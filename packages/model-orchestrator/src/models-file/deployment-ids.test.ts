import { expect, it } from 'vitest'
import { createDeploymentIds } from './deployment-ids.ts'

it('names the instant and never gives an id twice, even in one millisecond or when the clock goes back', () => {
  const instants = [0, 0, -5_000, 10]
  const next = createDeploymentIds(() => Date.UTC(2025, 8, 15, 14, 30, 34, 791) + (instants.shift() ?? 0))
  expect([next('a'), next('a'), next('b'), next('a')]).toEqual([
    'a_20250915_143034_791',
    'a_20250915_143034_792',
    'b_20250915_143034_793',
    'a_20250915_143034_801',
  ])
})
