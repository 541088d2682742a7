import { expect, it } from 'vitest'
import { holds } from './visible-paths.ts'

it.each([
  ['/a', '/a', true],
  ['/a', '/a/b/c', true],
  ['/', '/a', true],
  ['/a', '/ab', false],
  ['/a', '/a..b', false],
  ['/a', '/a/..b', true],
  ['/a/b', '/a', false],
])('%s holds %s: %s', (folder, path, isHeld) => {
  expect(holds(folder, path)).toBe(isHeld)
})
