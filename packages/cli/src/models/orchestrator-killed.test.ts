import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { createWorkspace, KEY, until } from '../../../model-orchestrator/test/workspace.ts'
import { orchestratorCommand } from '../self-command.ts'
import { openRounds } from './rounds.testkit.ts'

let space: Awaited<ReturnType<typeof createWorkspace>>
const cleanups: (() => unknown)[] = []
beforeEach(async () => {
  space = await createWorkspace()
  cleanups.push(() => space.remove())
})
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup()
})

/** The orchestrator as a process; a model that has failed is not started again while it lives. */
async function startProcess(port: number) {
  const files = ['--models', space.modelsFile, '--submissions', space.submissions, '--logs', space.logs]
  const limits = ['--model-namespaces', 'off', '--restart-delay', '600000', '--restart-max-delay', '600000']
  const names = ['--crunch-id', 'weather', '--base-class-name', 'tracker.TrackerBase']
  const { command, args } = orchestratorCommand()
  const ports = ['--port', `${port}`, '--http-port', 'off']
  const child = spawn(command, [...args, 'start', ...ports, ...names, ...files, ...limits], {
    stdio: ['ignore', 'pipe', 'inherit'],
    env: { ...process.env, API_KEY: KEY },
  })
  const exited = once(child, 'exit')
  const kill = async () => {
    child.kill('SIGKILL')
    await exited
  }
  cleanups.push(kill)
  let output = ''
  child.stdout.on('data', (chunk) => {
    output += chunk
  })
  const ready = (): { port: number; models: { readonly id: string; readonly pid: number }[] } | null => {
    const line = /^\{"event":"ready".*\n/m.exec(output)?.[0]
    return line === undefined ? null : JSON.parse(line)
  }
  return { kill, ready }
}

it('kill -9 of the orchestrator: a running model is excused until it is set up again, a crashed one is to blame', async () => {
  const gate = join(space.root, 'gate')
  // It can be set up once the gate is open.
  const main = `
import { existsSync } from 'node:fs'
while (!existsSync(${JSON.stringify(gate)})) await new Promise((done) => setTimeout(done, 50))
class TrackerBase {}
export class Model extends TrackerBase {
  tick() {}
  predict() { return { value: 0.5 } }
}`
  await writeFile(gate, '')
  const ids = ['1', '2']
  for (const id of ids) await space.submission(`model-${id}`, main)
  await space.models(ids.map((id) => ({ id, submission_id: `model-${id}`, desired_state: 'RUNNING' })))
  const first = await startProcess(0)
  const { port, models } = await until('the first one is ready', first.ready)
  const { runner, round, connected, close } = await openRounds(port)
  cleanups.push(close)
  await until('both are set up', connected('1,2'))
  expect(await round()).toEqual(['1 PENDING null', '2 PENDING null'])
  process.kill(models.find(({ id }) => id === '2')?.pid ?? 0, 'SIGKILL')
  await until('2 has crashed', connected('1'))
  expect(await round()).toEqual(['1 PENDING null', '2 ABSENT not_running'])
  await rm(gate)
  await first.kill()
  await until('the loss is seen', () => !runner.reachable())
  await startProcess(port)
  // Both processes serve; their set-up waits for the gate.
  await until('it is back', () => runner.reachable())
  expect(await round()).toEqual(['1 ABSENT orchestrator_restarted', '2 ABSENT not_running'])
  await writeFile(gate, '')
  await until('both are back', connected('1,2'))
  expect(await round()).toEqual(['1 PENDING null', '2 PENDING null'])
}, 120_000)
