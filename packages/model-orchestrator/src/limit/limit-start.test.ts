import { spawn } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { afterEach, beforeEach, describe, expect, it, onTestFinished, vi } from 'vitest'
import { entry, startInWorkspace } from '../../test/start-in-workspace.ts'
import { createWorkspace, until } from '../../test/workspace.ts'
import { limitStart, readWaitedMs } from './limit-start.ts'

describe('the start limit', () => {
  beforeEach(() => vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance'] }))
  afterEach(() => vi.useRealTimers())

  function begin(waitedMs: () => number) {
    const reasons: string[] = []
    const stop = limitStart({ limitMs: 30_000, waitedMs, onOver: (reason) => reasons.push(reason) })
    return { reasons, stop }
  }

  it('counts all time if the process never waits for a processor', () => {
    const { reasons } = begin(() => 0)
    vi.advanceTimersByTime(29_900)
    expect(reasons).toEqual([])
    vi.advanceTimersByTime(1_100)
    expect(reasons).toEqual([
      expect.stringMatching(/^did not serve within 30000 ms of its start, not counting \d+ ms of waiting/),
    ])
  })

  it('does not count waiting for a processor', () => {
    const startedMs = performance.now()
    // The process has a processor for one of every four seconds.
    const { reasons } = begin(() => (performance.now() - startedMs) * 0.75)
    vi.advanceTimersByTime(119_000)
    expect(reasons).toEqual([])
    vi.advanceTimersByTime(3_000)
    expect(reasons).toHaveLength(1)
  })

  it('ends a start after ten times the limit in any case', () => {
    const startedMs = performance.now()
    const { reasons } = begin(() => performance.now() - startedMs)
    vi.advanceTimersByTime(299_000)
    expect(reasons).toEqual([])
    vi.advanceTimersByTime(2_000)
    expect(reasons).toHaveLength(1)
  })

  it('stops watching once the start is over', () => {
    const { reasons, stop } = begin(() => 0)
    stop()
    vi.advanceTimersByTime(1_000_000)
    expect(reasons).toEqual([])
  })
})

it.skipIf(!existsSync('/proc/self/schedstat'))('distinguishes waiting for a processor from sleeping', async () => {
  // Both loops compete for the only processor that they may use.
  const loop = 'taskset -cp 0 $$ >/dev/null; while :; do :; done'
  const loops = [1, 2].map(() => spawn('sh', ['-c', loop], { stdio: 'ignore' }))
  const sleeper = spawn('sleep', ['600'], { stdio: 'ignore' })
  const waited = () => [...loops, sleeper].map(({ pid }) => readWaitedMs(pid!))
  try {
    await until('the sleeper sleeps', () => /\(sleep\) S/.test(readFileSync(`/proc/${sleeper.pid}/stat`, 'utf8')))
    const before = waited()
    for (const index of [0, 1])
      await until('the loop has waited for a processor', () => waited()[index]! - before[index]! > 500)
    expect(waited()[2]! - before[2]!).toBeLessThan(100)
  } finally {
    for (const child of [...loops, sleeper]) child.kill('SIGKILL')
  }
  await until('the sleeper is gone', () => readWaitedMs(sleeper.pid!) === 0)
})

it.skipIf(!existsSync('/proc/self/schedstat'))(
  'gives a model more time to start while it waits for a processor',
  async () => {
    const [limitMs, startMs] = [3_000, 5_000]
    const space = await createWorkspace()
    onTestFinished(() => space.remove())
    const loop = 'taskset -cp 0 $$ >/dev/null; while :; do :; done'
    const loops = [1, 2, 3].map(() => spawn('sh', ['-c', loop], { detached: true, stdio: 'ignore' }))
    const endLoops = () => {
      for (const child of loops) child.kill('SIGKILL')
    }
    onTestFinished(endLoops)
    await space.submission(
      'a',
      `import { execSync } from 'node:child_process'
    execSync('taskset -acp 0 ' + process.pid)
    for (const end = performance.now() + ${startMs}; performance.now() < end; );
    console.log('computed')`,
    )
    await space.models([entry('1', 'a')])
    const orchestrator = await startInWorkspace(space, { startTimeoutMs: limitMs, restart: { maxQuickFailures: 1 } })
    onTestFinished(() => orchestrator.close())
    const hasComputed = async () =>
      (await space.logLines('1').catch(() => [])).some(({ message }) => message === 'computed')
    const status = () => orchestrator.models()[0]
    await until('the model has computed, or failed', async () => (await hasComputed()) || status()?.state === 'FAILED')
    endLoops()
    await until('the model serves, or failed', () => ['RUNNING', 'FAILED'].includes(status()?.state ?? ''))
    expect(status()).toMatchObject({ state: 'RUNNING', lastFailure: null })
  },
)
