import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { rememberingLog } from '../../test/workspace.ts'
import type { BackgroundGroup } from './background-group.ts'
import { openLimitGroups } from './limit-groups.ts'
import { checkModelLimits } from './model-limits.ts'
import { startUsageWatch } from './watch-usage.ts'

const GROUP = `crunch-limits-${process.pid}-1`
const PROBE = `crunch-limits-${process.pid}-probe`
const FIRST = { 'memory.limit_in_bytes': '', 'memory.memsw.limit_in_bytes': '', 'memory.oom_control': 'oom_kill 0\n' }
const SECOND = {
  'memory.max': '',
  'memory.swap.max': '',
  'memory.oom.group': '0',
  'memory.events': 'low 0\nhigh 0\nmax 3\noom 1\noom_kill 0\noom_group_kill 0\n',
  'pids.max': '',
  'pids.events': 'max 0\n',
  'pids.peak': '1\n',
}

let root: string

beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'limits-'))
})
afterEach(() => rm(root, { recursive: true }))

/** Trees of control groups as files. No kernel creates the files of a new group here, so they exist in advance. */
async function describeSystem(input: {
  readonly mounts: readonly string[]
  readonly own: readonly string[]
  readonly groups: Readonly<Record<string, Readonly<Record<string, string>>>>
}): Promise<string> {
  const system = join(root, 'self')
  await mkdir(system)
  await writeFile(join(system, 'cgroup'), `${input.own.join('\n')}\n`)
  await writeFile(join(system, 'mountinfo'), `${input.mounts.join('\n')}\n`)
  for (const [folder, files] of Object.entries(input.groups)) {
    await mkdir(join(root, folder), { recursive: true })
    for (const [name, text] of Object.entries(files)) await writeFile(join(root, folder, name), text)
  }
  return system
}

const firstVersion = (place: string, controllers: string) =>
  `32 31 0:29 / ${join(root, place)} rw,relatime shared:9 - cgroup cgroup rw,${controllers}`
const secondVersion = (place: string) => `41 31 0:38 / ${join(root, place)} rw,relatime - cgroup2 cgroup2 rw,nsdelegate`
const read = (...path: readonly string[]) => readFile(join(root, ...path), 'utf8')

async function describeSecondVersion(own = '0::/'): Promise<string> {
  const home = { 'cgroup.controllers': 'cpu memory pids\n', 'cgroup.subtree_control': 'cpu\n' }
  return describeSystem({
    mounts: [secondVersion('unified')],
    own: [own],
    groups: { unified: home, [`unified/${PROBE}`]: SECOND, [`unified/${GROUP}`]: SECOND },
  })
}

describe.skipIf(process.platform !== 'linux')('control groups that limit a model', () => {
  it('use one group in version 2, and enable its controllers', async () => {
    const system = await describeSecondVersion()
    const memoryOnly = openLimitGroups({ system, without: { pids: 'not in this test' } })
    expect(memoryOnly.problems).toEqual({ memory: null, pids: 'not in this test' })
    expect(await read('unified', 'cgroup.subtree_control')).toBe('+memory')
    const groups = openLimitGroups({ system })
    expect(groups.problems).toEqual({ memory: null, pids: null })
    expect(await read('unified', 'cgroup.subtree_control')).toBe('+pids')
    const group = groups.open({ memoryMib: 256, tasks: 40 })
    const written = await Promise.all(
      ['memory.max', 'memory.swap.max', 'memory.oom.group', 'pids.max'].map((file) => read('unified', GROUP, file)),
    )
    expect(written).toEqual([String(256 * 1024 * 1024), '0', '1', '40'])
    const { command, args } = group.enter({ command: 'model', args: ['--address'] })
    expect([command, ...args.slice(2)]).toEqual([
      '/bin/sh',
      'enter',
      join(root, 'unified', GROUP),
      'required',
      'model',
      '--address',
    ])
  })

  it('report kills, refused tasks and peaks in version 2', async () => {
    const system = await describeSecondVersion()
    const group = openLimitGroups({ system }).open({ memoryMib: 256, tasks: 40 })
    expect([group.memoryKills().count, group.refusedTasks(), group.peakTasks(), group.pids()]).toEqual([0, 0, 1, []])
    const says = (file: string, text: string) => writeFile(join(root, 'unified', GROUP, file), text)
    await says('memory.events', 'low 0\nhigh 0\nmax 9\noom 2\noom_kill 5\noom_group_kill 1\n')
    await says('pids.events', 'max 7\n')
    await says('pids.peak', '40\n')
    await says('cgroup.procs', '12\n13\n')
    expect(group.memoryKills()).toEqual({ count: 5, isOwnLimit: true })
    expect([group.refusedTasks(), group.peakTasks(), group.pids()]).toEqual([7, 40, [12, 13]])
  })

  it('do not count limits of the machine or a parent group as their own, in version 2', async () => {
    const system = await describeSecondVersion()
    const group = openLimitGroups({ system }).open({ memoryMib: 256, tasks: 40 })
    const says = (file: string, text: string) => writeFile(join(root, 'unified', GROUP, file), text)
    // The page cache also reaches the limit, harmlessly: `max` counts that too.
    await says('memory.events', 'low 0\nhigh 0\nmax 9\noom 0\noom_kill 1\noom_group_kill 0\n')
    await says('pids.events', 'max 7\n')
    await says('pids.peak', '39\n')
    expect(group.memoryKills()).toEqual({ count: 1, isOwnLimit: false })
    expect(group.refusedTasks()).toBe(0)
  })

  it.each([
    { highest: 'memory.memsw.max_usage_in_bytes', mib: 255, isOwnLimit: true },
    { highest: 'memory.memsw.max_usage_in_bytes', mib: 254.9, isOwnLimit: false },
    // Without swap accounting.
    { highest: 'memory.max_usage_in_bytes', mib: 256, isOwnLimit: true },
    { highest: 'memory.max_usage_in_bytes', mib: 100, isOwnLimit: false },
  ])(
    'do not count limits of the machine or a parent group as their own, in version 1: $highest $mib MiB',
    async ({ highest, mib, isOwnLimit }) => {
      const files = { ...FIRST, 'memory.oom_control': 'oom_kill 2\n', 'memory.failcnt': '0\n' }
      const system = await describeSystem({
        mounts: [firstVersion('memory', 'memory'), secondVersion('unified')],
        own: ['4:memory:/', '0::/'],
        groups: {
          [`memory/${PROBE}`]: FIRST,
          [`memory/${GROUP}`]: { ...files, [highest]: `${mib * 1024 * 1024}\n` },
        },
      })
      const group = openLimitGroups({ system, without: { pids: 'not in this test' } }).open({
        memoryMib: 256,
        tasks: 40,
      })
      expect(group.memoryKills()).toEqual({ count: 2, isOwnLimit })
    },
  )

  it('use one group per controller in version 1', async () => {
    const system = await describeSystem({
      mounts: [firstVersion('memory', 'memory'), firstVersion('pids', 'pids'), secondVersion('unified')],
      own: ['8:pids:/', '4:memory:/service', '0::/'],
      groups: {
        [`memory/service/${PROBE}`]: FIRST,
        [`memory/service/${GROUP}`]: FIRST,
        [`pids/${PROBE}`]: { 'pids.max': '' },
        [`pids/${GROUP}`]: { 'pids.max': '', 'pids.events': 'max 2\n' },
      },
    })
    const groups = openLimitGroups({ system })
    expect(groups.problems).toEqual({ memory: null, pids: null })
    const group = groups.open({ memoryMib: 1, tasks: 9 })
    const limits = ['memory.limit_in_bytes', 'memory.memsw.limit_in_bytes']
    expect(await Promise.all(limits.map((file) => read('memory/service', GROUP, file)))).toEqual(['1048576', '1048576'])
    expect(await read('pids', GROUP, 'pids.max')).toBe('9')
    expect([group.refusedTasks(), group.peakTasks()]).toEqual([2, 0])
    const paths = [join(root, 'memory/service', GROUP), join(root, 'pids', GROUP)]
    expect(group.enter({ command: 'model', args: [] }).args[3]).toBe(paths.join('\n'))
  })

  it('cannot be created in version 2 below a group with processes; the problem is reported', async () => {
    const system = await describeSecondVersion('0::/system.slice/node.service')
    const { problems, homes, open } = openLimitGroups({ system })
    expect(problems).toEqual({
      memory: expect.stringMatching(/^no control group of memory is mounted where/),
      pids: expect.stringMatching(/^no control group of pids is mounted where/),
    })
    expect(homes).toEqual([])
    const group = open({ memoryMib: 1, tasks: 1 })
    expect(group.limitsMemory).toBe(false)
    expect(group.enter({ command: 'model', args: ['x'] })).toEqual({ command: 'model', args: ['x'] })
  })

  it('report which limit could not be set', async () => {
    const system = await describeSecondVersion()
    await rm(join(root, 'unified', PROBE, 'pids.max'))
    expect(openLimitGroups({ system }).problems).toEqual({
      memory: null,
      pids: `${join(root, 'unified', PROBE)} has no process limit`,
    })
  })

  it.each([
    [
      'never move to a background group in the same tree',
      'unified',
      /, by priority only: the control groups that limit models are in the same tree/,
    ],
    ['may move to a background group in another tree', 'cpu', /: the others wait in .*cpu.crunch-background/],
  ])('contain models that %s', async (_, tree, words) => {
    const groups = openLimitGroups({ system: await describeSecondVersion() })
    let isClosed = false
    const background: BackgroundGroup = {
      path: join(root, tree, 'crunch-background'),
      homes: [join(root, tree)],
      processors: null,
      cores: 1,
      enter: (program) => program,
      move: () => undefined,
      close() {
        isClosed = true
      },
    }
    const watch = startUsageWatch(checkModelLimits(), rememberingLog(), { groups, background })
    expect(watch.words.join('; ')).toMatch(words)
    expect(isClosed).toBe(tree === 'unified')
    watch.close()
  })
})
