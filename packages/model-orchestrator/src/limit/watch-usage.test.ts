import { execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { getPriority } from 'node:os'
import { describe, expect, it } from 'vitest'
import { groupsAreMissing } from '../../test/limit-groups.ts'
import { entry, useWorkspace } from '../../test/start-in-workspace.ts'
import { isAlive, rememberingLog, until } from '../../test/workspace.ts'
import { type ProcessTable, parsePsLine } from '../process/process-table.ts'
import type { Orchestrator, OrchestratorSettings } from '../start-orchestrator.ts'
import type { BackgroundGroup } from './background-group.ts'
import { openLimitGroups } from './limit-groups.ts'
import { MAY_RAISE, START_NICENESS } from './lower-priority.ts'
import { checkModelLimits, type ModelLimits, taskLimit } from './model-limits.ts'
import { startUsageWatch } from './watch-usage.ts'

const SLEEP_SECONDS = 60 + Math.random()

const { space, cleanups, start, connect } = useWorkspace()
let orchestrator: Orchestrator

/** Runs one model with this code; it is not restarted when it fails. */
async function run(main: string, modelLimits: OrchestratorSettings['modelLimits']) {
  await space.submission('a', main)
  await space.models([entry('1', 'a')])
  // Without namespaces only the watch kills processes that a model started.
  const confinement = { namespaces: 'off' } as const
  orchestrator = await start({ confinement, restart: { maxQuickFailures: 1 }, modelLimits: modelLimits ?? {} })
  return connect(orchestrator.port)
}

const status = () => orchestrator.models()[0]!
const failure = async () => {
  await until('the failure', () => status().state === 'FAILED')
  return status().lastFailure
}
const printed = async (pattern: RegExp) =>
  until(`a line ${pattern}`, async () => {
    const lines = await space.logLines('1').catch(() => [])
    return lines.map(({ message }) => pattern.exec(message)?.[1]).find((found) => found !== undefined)
  })

describe.skipIf(process.platform === 'win32')('a model over its limits', () => {
  it('is killed when it uses too much memory, and the failure names the limit', async () => {
    await run("const kept = []; setInterval(() => kept.push(Buffer.alloc(16 * 1024 * 1024, 'x')), 20)", {
      memoryMib: 256,
    })
    expect(await failure()).toMatchObject({
      code: 'STOP_UNEXPECTED',
      reason: expect.stringMatching(
        /^was stopped because it (used|needed more than) \d+ MiB of memory, over its limit of 256 MiB/,
      ),
    })
  })

  it('is killed with all its processes when it forks endlessly', async () => {
    // A duration that identifies the processes of this test.
    const script = `while :; do sleep ${SLEEP_SECONDS} & done`
    const main = `
      import { spawn } from 'node:child_process'
      setTimeout(() => spawn('/bin/sh', ['-c', ${JSON.stringify(script)}], { detached: true, stdio: 'ignore' }), 50)`
    await run(main, { processes: 20 })
    expect(await failure()).toMatchObject({
      reason: expect.stringMatching(/^was stopped because it ran \d+ processes, over its limit of 20/),
    })
    const isLeft = execFileSync('ps', ['-A', '-o', 'args=']).toString().includes(`sleep ${SLEEP_SECONDS}`)
    expect(isLeft).toBe(false)
  })

  const noGroup = groupsAreMissing()
  it('takes a detached child process with it when it ends', async () => {
    // A control group knows the child at once; the watch sees it at a later sample, which the test cannot observe.
    const untilLookedMs = noGroup === null ? 0 : 6 * 800
    const main = `
      import { spawn } from 'node:child_process'
      const child = spawn(process.execPath, ['-e', 'setInterval(() => {}, 1000)'], { detached: true, stdio: 'ignore' })
      console.log('grandchild ' + child.pid)
      process.on('SIGUSR2', () => setTimeout(() => process.exit(3), ${untilLookedMs}))`
    await run(main, {})
    const grandchild = Number(await printed(/grandchild (\d+)/))
    process.kill(status().pid!, 'SIGUSR2')
    expect(await failure()).toMatchObject({ reason: expect.stringContaining('exited with code 3') })
    await until('the grandchild is gone', () => !isAlive(grandchild))
  })

  it.skipIf(noGroup !== null)(
    `takes a child process with it that it starts while it exits${noGroup === null ? '' : ` (skipped: ${noGroup})`}`,
    async () => {
      const main = `
      import { spawn } from 'node:child_process'
      process.on('SIGUSR2', () => {
        const options = { detached: true, stdio: 'ignore' }
        console.log('grandchild ' + spawn(process.execPath, ['-e', 'setInterval(() => {}, 1000)'], options).pid)
        process.exit(3)
      })`
      await run(main, {})
      await until('the model serves', () => status().state === 'RUNNING')
      process.kill(status().pid!, 'SIGUSR2')
      expect(await failure()).toMatchObject({ reason: expect.stringContaining('exited with code 3') })
      const grandchild = Number(await printed(/grandchild (\d+)/))
      await until('the grandchild is gone', () => !isAlive(grandchild))
    },
  )
})

/** A real process with fabricated usage, so that the result does not depend on the machine's load. */
function startFabricated(parentPid = process.pid) {
  const child = spawn(process.execPath, ['-e', 'setInterval(() => {}, 1000)'], { detached: true, stdio: 'ignore' })
  cleanups.push(() => child.kill('SIGKILL'))
  return { child, pid: child.pid!, parentPid, cores: 0, cpuMs: 0, ended: once(child, 'exit') }
}

const NO_GROUPS = openLimitGroups({ without: { memory: 'not here', pids: 'not here' } })

/** The most CPU time of the background group, in cores. */
const GROUP_CORES = 0.4

/** Starts a usage watch over fabricated processes; `model` and `other` can be watched as models. */
function watchFabricated(modelLimits: Partial<ModelLimits>, probationMs: number) {
  const model = startFabricated()
  const other = startFabricated()
  const processes = [model, other]
  let readAtMs = performance.now()
  const table: ProcessTable = {
    intervalMs: 50,
    setForeign: () => undefined,
    async read() {
      const atMs = performance.now()
      const elapsedMs = atMs - readAtMs
      readAtMs = atMs
      return processes.map((one) => {
        one.cpuMs += one.cores * elapsedMs
        const isZombie = one.child.exitCode !== null || one.child.signalCode !== null
        const { pid, parentPid, cpuMs } = one
        return { pid, parentPid, groupId: pid, startedAt: '1', cpuMs, residentBytes: 0, isZombie }
      })
    },
  }
  const behind = new Set<number>()
  const background: BackgroundGroup = {
    path: '/groups/background',
    homes: ['/groups'],
    processors: '2,3',
    cores: GROUP_CORES,
    enter: ({ command, args }) => ({ command: 'enter', args: [command, ...args] }),
    move: (pid, direction) => void (direction === 'in' ? behind.add(pid) : behind.delete(pid)),
    close: () => undefined,
  }
  const watch = startUsageWatch(checkModelLimits(modelLimits), rememberingLog(), {
    table,
    groups: NO_GROUPS,
    background,
    probationMs,
    isInNeed: () => false,
  })
  cleanups.push(() => watch.close())
  const reasons: string[] = []
  const limits = checkModelLimits(modelLimits)
  const group = NO_GROUPS.open({ memoryMib: limits.memoryMib, tasks: taskLimit(limits) })
  const program = { command: '', args: [], limits, group, isModel: true }
  const watchOne = ({ pid }: { readonly pid: number }) => watch.watch(pid, (reason) => reasons.push(reason), program)
  return { model, other, processes, watch, watchOne, behind, words: watch.words, reasons }
}

describe.skipIf(process.platform === 'win32')('the usage watch', () => {
  it('kills a model whose average CPU usage is over its limit', async () => {
    const { model, watchOne, reasons } = watchFabricated({ cpuCores: 1.5, cpuWindowMs: 1_000 }, 100)
    watchOne(model)
    model.cores = 3
    await model.ended
    expect(reasons).toEqual([
      expect.stringMatching(/^used \d\.\d+ cores of CPU time, averaged over 1 s, over its limit of 1\.5/),
    ])
  })

  it('moves a serving model to the background while it uses more than half a core', async () => {
    const { model, other, watchOne, behind, words, reasons } = watchFabricated({}, 500)
    const wait =
      'CPU time goes first to models that use little: the others wait in /groups/background, on processors 2,3'
    expect(words).toContain(wait)
    watchOne(other).setServing()
    await until('the other one has served for a while', () => getPriority(other.pid) === 10)
    const { setServing } = watchOne(model)
    await until('the starting model has a low priority', () => getPriority(model.pid) === START_NICENESS)
    expect(behind.has(model.pid)).toBe(MAY_RAISE)
    setServing()
    await until('the model has served for a while', () => getPriority(model.pid) === 10)
    expect(behind.has(model.pid)).toBe(false)
    model.cores = 0.9
    await until('the model has the lowest priority', () => getPriority(model.pid) === 19)
    expect(behind.has(model.pid)).toBe(true)
    model.cores = 0.2
    const laterMs = model.cpuMs + 300
    await until('the model has used less for more than a second', () => model.cpuMs > laterMs)
    expect(behind.has(model.pid)).toBe(true)
    model.cores = 0
    if (MAY_RAISE) {
      await until('the model has normal priority', () => getPriority(model.pid) === 10)
      expect(behind.has(model.pid)).toBe(false)
    }
    expect(behind.has(other.pid)).toBe(false)
    expect(reasons).toEqual([])
  })

  it.runIf(MAY_RAISE)('moves a later child of a hog to the background too', async () => {
    const { model, other, processes, watchOne, behind } = watchFabricated({}, 500)
    for (const one of [model, other]) watchOne(one).setServing()
    model.cores = 0.9
    await until('the model is in the background', () => behind.has(model.pid) && getPriority(other.pid) === 10)
    const child = startFabricated(model.pid)
    processes.push(child)
    await until('its child is in the background', () => behind.has(child.pid))
    expect(getPriority(child.pid)).toBe(19)
  })

  it.runIf(MAY_RAISE)('never moves a model with steady low usage to the background', async () => {
    const { model, other, watchOne, behind } = watchFabricated({}, 500)
    for (const one of [model, other]) watchOne(one).setServing()
    model.cores = 0.2
    await until('more than a second of usage was read', () => model.cpuMs > 300)
    expect(getPriority(model.pid)).toBe(10)
    expect([...behind]).toEqual([])
  })

  it.runIf(MAY_RAISE)('keeps a new model that uses the whole background group there until it uses less', async () => {
    const probationMs = 2_000
    const { model, other, watchOne, behind } = watchFabricated({}, probationMs)
    watchOne(other).setServing()
    await until('the other model has priority', () => getPriority(other.pid) === 10)
    const startedAt = performance.now()
    watchOne(model).setServing()
    model.cores = GROUP_CORES
    await until('the probation is over', () => performance.now() > startedAt + probationMs + 500)
    expect(behind.has(model.pid)).toBe(true)
    model.cores = 0.05
    await until('the model leaves the background', () => !behind.has(model.pid))
  })

  it.runIf(MAY_RAISE)('releases new models that only together use the whole background group', async () => {
    const { model, other, processes, watchOne, behind } = watchFabricated({}, 1_500)
    const more = [startFabricated(), startFabricated()]
    processes.push(...more)
    watchOne(other).setServing()
    await until('the other model has priority', () => getPriority(other.pid) === 10)
    for (const one of [model, ...more]) {
      one.cores = GROUP_CORES / 3
      watchOne(one).setServing()
    }
    await until('the models are in the background', () => behind.size === 3)
    await until('the models leave the background', () => behind.size === 0)
  })

  it.runIf(MAY_RAISE)('keeps a hog in the background while other hogs leave it little CPU time', async () => {
    const { model, other, processes, watchOne, behind } = watchFabricated({}, 500)
    const more = [startFabricated(), startFabricated()]
    processes.push(...more)
    const hogs = [model, ...more]
    for (const one of [other, ...hogs]) watchOne(one).setServing()
    for (const one of hogs) one.cores = 0.9
    await until('the hogs are in the background', () => behind.size === 3)
    model.cores = 0.09
    for (const one of more) one.cores = GROUP_CORES / 2
    const laterMs = model.cpuMs + 0.09 * 3_000
    await until('its usage was low for a long time', () => model.cpuMs > laterMs)
    expect(behind.size).toBe(3)
    for (const one of more) one.cores = 0
    await until('the hogs leave the background', () => behind.size === 0)
  })

  it.runIf(MAY_RAISE)('starts a model in the background only while another model has priority', async () => {
    const { other, watch, watchOne } = watchFabricated({}, 500)
    const program = { command: 'node', args: ['main.js'] }
    watchOne(other).setServing()
    expect(watch.starting(program)).toMatchObject(program)
    await until('the other model has priority', () => getPriority(other.pid) === 10)
    expect(watch.starting(program)).toMatchObject({ command: 'enter', args: ['node', 'main.js'] })
  })

  it.runIf(MAY_RAISE)('releases a model from the background if its start takes long', async () => {
    const { model, other, watchOne, behind } = watchFabricated({}, 500)
    watchOne(other).setServing()
    await until('the other one has served for a while', () => getPriority(other.pid) === 10)
    watchOne(model)
    await until('the starting model has a low priority', () => getPriority(model.pid) === START_NICENESS)
    expect(behind.has(model.pid)).toBe(true)
    await until('the start has normal priority', () => getPriority(model.pid) === 10)
    expect(behind.has(model.pid)).toBe(false)
  })

  it.runIf(MAY_RAISE)('keeps a hog in the background only while another model has priority', async () => {
    const { model, other, watchOne, behind } = watchFabricated({}, 500)
    watchOne(other).setServing()
    watchOne(model).setServing()
    await until('both have a lower priority than the node', () =>
      [model, other].every(({ pid }) => getPriority(pid) === 19),
    )
    expect([...behind]).toEqual([])
    await until('both have served for a while', () => [model, other].every(({ pid }) => getPriority(pid) === 10))
    model.cores = 0.9
    await until('the model is in the background', () => behind.has(model.pid))
    other.cores = 0.9
    await until('the model leaves the background', () => !behind.has(model.pid))
    expect(getPriority(model.pid)).toBe(19)
    expect(behind.has(other.pid)).toBe(false)
  })
})

describe('limits', () => {
  it('parses a line of ps', () => {
    expect(parsePsLine(' 12  1  12  2048 Ss   1-02:03:04 Sun Nov 22 15:42:47 2026')).toEqual({
      pid: 12,
      parentPid: 1,
      groupId: 12,
      startedAt: 'Sun Nov 22 15:42:47 2026',
      cpuMs: ((24 + 2) * 3_600 + 3 * 60 + 4) * 1_000,
      residentBytes: 2048 * 1024,
      isZombie: false,
    })
    expect(parsePsLine('501 1 501 10 Z 0:00.25 Sun Nov 22 15:42:47 2026')).toMatchObject({ cpuMs: 250, isZombie: true })
  })

  it('refuses limits below the minimum', () => {
    expect(() => checkModelLimits({ memoryMib: 1 })).toThrow(/memoryMib of models is 1; give at least 128/)
  })
})
