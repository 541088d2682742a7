import { execFileSync, spawn } from 'node:child_process'
import { existsSync } from 'node:fs'
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { availableParallelism, tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, it, test } from 'vitest'
import { until } from '../../test/workspace.ts'
import { openBackgroundGroup } from './background-group.ts'

let root: string
const cleanups: (() => unknown)[] = []

beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'groups-'))
  cleanups.push(() => rm(root, { recursive: true }))
})
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup()
})

/** A tree of control groups as files: `cpu.idle` exists in each of `withIdle`, and the process is in `own`. */
async function describeSystem(input: { mounts: string[]; own: string[]; withIdle: string[] }): Promise<string> {
  const system = join(root, 'self')
  await mkdir(system)
  await writeFile(join(system, 'cgroup'), `${input.own.join('\n')}\n`)
  await writeFile(join(system, 'mountinfo'), `${input.mounts.join('\n')}\n`)
  for (const folder of input.withIdle) {
    await mkdir(join(root, folder), { recursive: true })
    await writeFile(join(root, folder, 'cpu.idle'), '0')
  }
  return system
}

const firstVersion = (place: string, shown = '/') =>
  `32 31 0:29 ${shown} ${join(root, place)} rw,relatime shared:9 - cgroup cgroup rw,cpu,cpuacct`
const secondVersion = (place: string) => `41 31 0:38 / ${join(root, place)} rw,relatime - cgroup2 cgroup2 rw,nsdelegate`
const read = (path: string) => readFile(join(root, path), 'utf8')

test.runIf(process.platform === 'linux')(
  "creates the background group below this process's group, and moves processes in and out",
  async () => {
    const system = await describeSystem({
      mounts: ['30 23 0:27 / /sys rw - sysfs sysfs rw', firstVersion('cpu')],
      own: ['5:memory:/elsewhere', '4:cpu,cpuacct:/service', '0::/elsewhere'],
      withIdle: ['cpu/service/crunch-background'],
    })
    const group = openBackgroundGroup(system)
    if (typeof group === 'string') throw new Error(group)
    expect(group.path).toBe(join(root, 'cpu/service/crunch-background'))
    expect(await read('cpu/service/crunch-background/cpu.idle')).toBe('1')
    group.move(4711, 'in')
    expect(await read('cpu/service/crunch-background/cgroup.procs')).toBe('4711')
    group.move(4711, 'out')
    expect(await read('cpu/service/cgroup.procs')).toBe('4711')
    expect(group.processors).toBeNull()
  },
)

/** Creates the files that the kernel would create in a group. */
async function describeSet(folder: string, files: Readonly<Record<string, string>>): Promise<void> {
  await mkdir(join(root, folder), { recursive: true })
  for (const [name, text] of Object.entries(files)) await writeFile(join(root, folder, name), text)
}

test.runIf(process.platform === 'linux')(
  'limits the background group to the last half of the processors, in version 1',
  async () => {
    const system = await describeSystem({
      mounts: [firstVersion('cpu'), firstVersion('cpuset').replace('cpu,cpuacct', 'cpuset')],
      own: ['5:cpuset:/pinned', '4:cpu,cpuacct:/'],
      withIdle: ['cpu/crunch-background'],
    })
    await describeSet('cpuset/pinned', { 'cpuset.effective_cpus': '0-3,8\n', 'cpuset.mems': '0-1\n' })
    await describeSet('cpuset/pinned/crunch-background', { 'cpuset.cpus': '', 'cpuset.mems': '' })
    await describeSet('cpu/crunch-background', { 'cpu.cfs_period_us': '100000', 'cpu.cfs_quota_us': '-1' })
    const group = openBackgroundGroup(system)
    expect(group).toMatchObject({ path: join(root, 'cpu/crunch-background'), processors: '3,8' })
    if (typeof group === 'string') throw new Error(group)
    expect(await read('cpuset/pinned/crunch-background/cpuset.cpus')).toBe('3,8')
    expect(await read('cpuset/pinned/crunch-background/cpuset.mems')).toBe('0-1')
    expect(await read('cpu/crunch-background/cpu.cfs_period_us')).toBe('4000')
    expect(await read('cpu/crunch-background/cpu.cfs_quota_us')).toBe('6000')
    group.move(4711, 'in')
    expect(await read('cpu/crunch-background/cgroup.procs')).toBe('4711')
    expect(await read('cpuset/pinned/crunch-background/cgroup.procs')).toBe('4711')
    group.move(4711, 'out')
    expect(await read('cpu/cgroup.procs')).toBe('4711')
    expect(await read('cpuset/pinned/cgroup.procs')).toBe('4711')
  },
)

test.runIf(process.platform === 'linux')(
  'lets the background group use all processors if no cpuset can be created',
  async () => {
    const system = await describeSystem({
      mounts: [firstVersion('cpu'), firstVersion('cpuset').replace('cpu,cpuacct', 'cpuset')],
      own: ['5:cpuset:/', '4:cpu,cpuacct:/'],
      withIdle: ['cpu/crunch-background'],
    })
    await describeSet('cpuset', { 'cpuset.effective_cpus': '0-3', 'crunch-background': 'in its place' })
    expect(openBackgroundGroup(system)).toMatchObject({
      path: join(root, 'cpu/crunch-background'),
      processors: null,
      allBecause: expect.stringMatching(/^(EEXIST|ENOTDIR): /),
    })
  },
)

test.runIf(process.platform === 'linux').each([
  ['two processors', '0-1', '1', 1],
  ['an odd number', '0,2,4-7,9', '6-7,9', 3],
  ['one processor', '3', null, availableParallelism()],
])('limits the background group to the last half of the processors, in version 2: %s', async (_, all, half, count) => {
  const system = await describeSystem({
    mounts: [secondVersion('unified')],
    own: ['0::/'],
    withIdle: ['unified/crunch-background'],
  })
  await describeSet('unified', { 'cpuset.cpus.effective': `${all}\n` })
  await describeSet('unified/crunch-background', { 'cpuset.cpus': '', 'cpu.max': 'max 100000' })
  const group = openBackgroundGroup(system)
  expect(group).toMatchObject({ processors: half })
  expect(await read('unified/crunch-background/cpuset.cpus')).toBe(half ?? '')
  expect(await read('unified/crunch-background/cpu.max')).toBe(`${3_000 * count} 4000`)
  if (typeof group === 'string') throw new Error(group)
  // As if another orchestrator had removed the group. Without the kernel, the new folder has no files.
  await rm(join(root, 'unified/crunch-background'), { recursive: true })
  group.move(4711, 'in')
  expect(await read('unified/crunch-background/cgroup.procs')).toBe('4711')
})

test.runIf(process.platform === 'linux')('finds the group in a container that sees only part of the tree', async () => {
  const system = await describeSystem({
    mounts: [firstVersion('cpu', '/docker/c0ffee')],
    own: ['4:cpu,cpuacct:/docker/c0ffee/inner'],
    withIdle: ['cpu/inner/crunch-background'],
  })
  expect(openBackgroundGroup(system)).toMatchObject({ path: join(root, 'cpu/inner/crunch-background') })
})

test.runIf(process.platform === 'linux')(
  'creates the group in version 2 only if the process is in the root group',
  async () => {
    const mounts = [secondVersion('unified')]
    const withIdle = ['unified/crunch-background']
    const system = await describeSystem({ mounts, own: ['0::/'], withIdle })
    expect(openBackgroundGroup(system)).toMatchObject({ path: join(root, 'unified/crunch-background') })
    await writeFile(join(system, 'cgroup'), '0::/user.slice/session-1.scope\n')
    expect(openBackgroundGroup(system)).toMatch(/^no CPU control group is mounted where/)
  },
)

test.runIf(process.platform === 'linux')('refuses a kernel without cpu.idle, and leaves no group behind', async () => {
  const system = await describeSystem({ mounts: [secondVersion('unified')], own: ['0::/'], withIdle: [] })
  await mkdir(join(root, 'unified'))
  expect(openBackgroundGroup(system)).toBe(`${join(root, 'unified/crunch-background')} has no cpu.idle`)
  expect(existsSync(join(root, 'unified/crunch-background'))).toBe(false)
})

const real = openBackgroundGroup()
const withReal = it.skipIf(typeof real === 'string')
const whyNot = typeof real === 'string' ? `: ${real}` : ''
withReal(`moves a real process into the group and out of it${whyNot}`, async () => {
  if (typeof real === 'string') throw new Error(real)
  const child = spawn(process.execPath, ['-e', 'setInterval(() => {}, 1000)'], { stdio: 'ignore' })
  cleanups.push(() => child.kill('SIGKILL'))
  const { pid } = child
  if (pid === undefined) throw new Error('no process was started')
  const groups = () => readFile(`/proc/${pid}/cgroup`, 'utf8')
  const before = await groups()
  real.move(pid, 'in')
  expect(await groups()).toContain('/crunch-background\n')
  const allowed = /^Cpus_allowed_list:\s*(.*)$/m.exec(await readFile(`/proc/${pid}/status`, 'utf8'))?.[1]
  if (real.processors !== null) expect(allowed).toBe(real.processors)
  real.move(pid, 'out')
  expect(await groups()).toBe(before)
  child.kill('SIGKILL')
  await until('the process has ended', () => child.signalCode !== null)
  real.move(pid, 'in')
  real.close()
})

withReal(`starts a program inside the group${whyNot}`, async () => {
  if (typeof real === 'string') throw new Error(real)
  // A process in the group keeps the orchestrators of other tests from removing it.
  const child = spawn(process.execPath, ['-e', 'setInterval(() => {}, 1000)'], { stdio: 'ignore' })
  cleanups.push(() => child.kill('SIGKILL'))
  real.move(child.pid!, 'in')
  const { command, args } = real.enter({ command: 'cat', args: ['/proc/self/cgroup'] })
  expect(execFileSync(command, args, { encoding: 'utf8' })).toContain('/crunch-background\n')
  child.kill('SIGKILL')
  await until('the process has ended', () => child.signalCode !== null)
  real.close()
})

test.runIf(process.platform === 'linux')(
  'passes the arguments unchanged, and starts the program even if the group is gone',
  async () => {
    const mounts = [secondVersion('unified')]
    const system = await describeSystem({ mounts, own: ['0::/'], withIdle: ['unified/crunch-background'] })
    const group = openBackgroundGroup(system)
    if (typeof group === 'string') throw new Error(group)
    const { command, args } = group.enter({ command: 'printf', args: ['<%s>', 'a b', '', '$1 *', 'c\nd'] })
    const run = () => execFileSync(command, args, { encoding: 'utf8', stdio: 'pipe' })
    const env = group.enter({ command: 'env', args: [] })
    expect(execFileSync(env.command, env.args, { encoding: 'utf8', env: { PATH: '/usr/bin:/bin' } })).toMatch(
      /^PATH=.*\n(_=.*\n)?$/,
    )
    expect(run()).toBe('<a b><><$1 *><c\nd>')
    expect(await read('unified/crunch-background/cgroup.procs')).toBe('0\n')
    await rm(join(root, 'unified/crunch-background'), { recursive: true })
    expect(run()).toBe('<a b><><$1 *><c\nd>')
  },
)
