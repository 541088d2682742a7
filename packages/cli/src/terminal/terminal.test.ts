import { expect, it } from 'vitest'
import { signalHandler } from './terminal.ts'

function openScene() {
  const ending = new AbortController()
  const scene = { nowMs: 5_000, exits: 0, ending }
  const signalled = signalHandler(
    ending,
    () => {
      scene.exits += 1
    },
    () => scene.nowMs,
  )
  return { scene, signalled }
}

it('treats a Ctrl-C forwarded by npm as a single one', () => {
  const { scene, signalled } = openScene()
  signalled('SIGINT')
  scene.nowMs += 1
  signalled('SIGINT')
  expect([scene.ending.signal.aborted, scene.exits]).toEqual([true, 0])
})

it('ends at once at a second Ctrl-C, and never at a second SIGTERM', () => {
  const { scene, signalled } = openScene()
  signalled('SIGINT')
  scene.nowMs += 1_001
  signalled('SIGTERM')
  expect(scene.exits).toBe(0)
  signalled('SIGINT')
  expect(scene.exits).toBe(1)
})
