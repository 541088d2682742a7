import { execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { text } from 'node:stream/consumers'
import { expect, it, onTestFinished } from 'vitest'
import { startRunner } from '../test/start-runner.ts'
import { modelRunnerCommand } from './command.ts'

const endless = {
  'tracker.js': 'export class TrackerBase {}\n',
  'main.js':
    "import { TrackerBase } from './tracker.js'\nexport class Endless extends TrackerBase {\n  predict() {\n    console.error('looping')\n    for (;;) {}\n  }\n}\n",
}

/** A runner whose model blocks the main thread forever. */
async function startEndless() {
  const runner = await startRunner(endless)
  expect((await runner.setup('tracker.TrackerBase'))[0]).toBe('SUCCESS')
  runner.call('predict').catch(() => 'ends with the process')
  await expect.poll(runner.stderr, { timeout: 10_000 }).toContain('looping')
  return runner
}

it('exits at once on SIGTERM, even in an endless loop', async () => {
  const { child } = await startEndless()
  const exited = once(child, 'exit')
  child.kill('SIGTERM')
  expect(await exited).toEqual([null, 'SIGTERM'])
})

it('exits when stdin closes, even in an endless loop', async () => {
  const { child } = await startEndless()
  const exited = once(child, 'exit')
  child.stdin?.end()
  expect(await exited).toEqual([null, 'SIGKILL'])
})

it.runIf(process.platform !== 'win32')(
  'keeps no compiler process running beside a serving model, even after a late import',
  async () => {
    const runner = await startRunner({
      'tracker.ts': 'export abstract class TrackerBase {}\n',
      'late.ts': 'export const late: number = 7\n',
      'main.ts':
        "import { TrackerBase } from './tracker.ts'\nexport class Late extends TrackerBase {\n  async predict(): Promise<number> {\n    return (await import('./late.ts')).late\n  }\n}\n",
    })
    const compilers = () => {
      const lines = execFileSync('ps', ['-A', '-o', 'ppid=,args=']).toString().split('\n')
      return lines.filter(
        (line) => /esbuild(?!.*<defunct>)/.test(line) && Number(line.trim().split(' ')[0]) === runner.child.pid,
      )
    }
    expect((await runner.setup('tracker.TrackerBase'))[0]).toBe('SUCCESS')
    await expect.poll(compilers, { timeout: 30_000 }).toEqual([])
    expect((await runner.call('predict'))[2]).toBe(7)
    await expect.poll(compilers, { timeout: 30_000 }).toEqual([])
  },
)

it('refuses a missing folder', async () => {
  const { command, args } = modelRunnerCommand()
  const child = spawn(command, [...args, '--code-directory', '/does/not/exist'], {
    stdio: ['ignore', 'ignore', 'pipe'],
  })
  onTestFinished(() => void child.kill('SIGKILL'))
  const [stderr, [code]] = await Promise.all([text(child.stderr), once(child, 'exit')])
  expect([code, stderr]).toEqual([2, "error: Directory '/does/not/exist' does not exist: give --code-directory\n"])
})
