import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { getPriority } from 'node:os'
import { expect, test } from 'vitest'
import { lowerPriority, MODEL_NICENESS } from './lower-priority.ts'

test('lowers the priority of a process, and ignores one that has ended', async () => {
  const child = spawn(process.execPath, ['-e', 'setInterval(() => {}, 1000)'], { detached: true, stdio: 'ignore' })
  const { pid } = child
  if (pid === undefined) throw new Error('no process was started')
  lowerPriority(pid, MODEL_NICENESS)
  expect(getPriority(pid)).toBe(10)
  const exited = once(child, 'exit')
  child.kill('SIGKILL')
  await exited
  await expect.poll(() => lowerPriority(pid, MODEL_NICENESS)).toBe(true)
})
