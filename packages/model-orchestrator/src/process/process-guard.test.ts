import { spawn } from 'node:child_process'
import { afterEach, expect, it } from 'vitest'
import { isAlive, rememberingLog, until } from '../../test/workspace.ts'
import { startProcessGuard } from './process-guard.ts'

const groups: number[] = []
afterEach(() => {
  for (const group of groups.splice(0)) {
    try {
      process.kill(-group, 'SIGKILL')
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error
    }
  }
})

function sleeper(): number {
  const child = spawn('/bin/sh', ['-c', 'trap "" TERM; sleep 1000 & wait'], { detached: true, stdio: 'ignore' })
  groups.push(child.pid!)
  return child.pid!
}

it('kills the watched groups when its pipe ends, but not forgotten ones', async () => {
  const guard = startProcessGuard(rememberingLog())
  const [watched, forgotten, other] = [sleeper(), sleeper(), sleeper()]
  guard.watch(forgotten)
  guard.watch(watched)
  guard.forget(forgotten)
  guard.close()
  await until('the watched one is gone', () => !isAlive(watched))
  await until('the guard is gone', () => !isAlive(guard.pid!))
  expect([isAlive(forgotten), isAlive(other)]).toEqual([true, true])
})

it('keeps watching after it was killed', async () => {
  const log = rememberingLog()
  const guard = startProcessGuard(log)
  const watched = sleeper()
  guard.watch(watched)
  const first = guard.pid!
  process.kill(first, 'SIGKILL')
  await until('another guard', () => guard.pid !== first)
  expect(isAlive(watched)).toBe(true)
  expect(log.lines.map(({ message }) => message)).toEqual(['process guard ended'])
  guard.close()
  await until('the watched one is gone', () => !isAlive(watched))
})
