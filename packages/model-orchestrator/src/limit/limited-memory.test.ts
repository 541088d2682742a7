import { existsSync } from 'node:fs'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pythonIsMissing } from '@crunch/python-peers'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { groupsAreMissing } from '../../test/limit-groups.ts'
import { createWorkspace, rememberingLog, STAND_IN, until } from '../../test/workspace.ts'
import { createConfinement } from '../confine/confinement.ts'
import { createFreePorts } from '../confine/free-ports.ts'
import { findPython } from '../prepare/python/python-interpreter.ts'
import { type ProcessGuard, startProcessGuard } from '../process/process-guard.ts'
import { runProgram } from '../process/run-program.ts'
import { startOrchestrator } from '../start-orchestrator.ts'
import { type LimitGroups, openLimitGroups } from './limit-groups.ts'
import { checkModelLimits } from './model-limits.ts'
import { startUsageWatch } from './watch-usage.ts'

const LIMIT_MIB = 256
const LIMIT_MS = 60_000
const never = new AbortController().signal
const groups = openLimitGroups()

let guard: ProcessGuard
let home: string
let python: ReturnType<typeof findPython> | undefined
const cleanups: (() => unknown)[] = []

beforeEach(async () => {
  guard = startProcessGuard(rememberingLog())
  home = await mkdtemp(join(tmpdir(), 'memory-'))
  cleanups.push(
    () => rm(home, { recursive: true, force: true, maxRetries: 5 }),
    () => guard.close(),
  )
})
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup()
})

async function openConfinement(limitGroups: LimitGroups) {
  const limits = checkModelLimits({ memoryMib: LIMIT_MIB, folderMib: 1_024 })
  const limitsSegments = limitGroups.problems.memory !== null
  const ports = createFreePorts('127.0.0.1')
  const confinement = await createConfinement({ settings: {}, limits, secret: [], limitsSegments, guard, ports })
  const usage = startUsageWatch(limits, rememberingLog(), { groups: limitGroups })
  cleanups.push(() => usage.close())
  return { confinement, usage, limits }
}

/** Runs Python code confined like a model; returns the limit that it exceeded, otherwise its exit code. */
async function hold({ confinement, usage, limits }: Awaited<ReturnType<typeof openConfinement>>, code: string) {
  const environment = { PATH: process.env.PATH ?? '' }
  python ??= findPython({ program: 'python3', environment, signal: never, guard })
  const { executable } = await python
  const enclosed = confinement.enclose({
    command: executable,
    args: ['-I', '-c', `${PRELUDE}${code}`],
    directory: '/',
    programs: [executable],
    readable: [],
    writable: [],
    loopback: [],
    fileMib: 1_024,
    memoryMib: LIMIT_MIB,
  })
  const program = usage.starting(enclosed, limits)
  let over: string | null = null
  let watched: ReturnType<typeof usage.watch> | null = null
  const end = await runProgram({
    ...program,
    directory: enclosed.directory,
    environment,
    limitMs: LIMIT_MS,
    signal: never,
    guard,
    onStart(pid, kill) {
      const onOver = (reason: string) => {
        over = reason
        kill()
      }
      watched = usage.watch(pid, onOver, program)
    },
  })
  const reason = over ?? (watched as ReturnType<typeof usage.watch> | null)?.overByItself() ?? null
  await (watched as ReturnType<typeof usage.watch> | null)?.end()
  return reason ?? `exit code ${end.code}`
}

const PRELUDE = `
import ctypes, mmap, os, sys, time
MIB = 1 << 20
def fill(file, mib):
    for _ in range(mib): os.write(file, b"x" * MIB)
`
/** Each allocates 400 MiB in another way; most of them do not appear in the resident memory of a process. */
const WAYS: Readonly<Record<string, string>> = {
  'a file in memory that is not mapped': 'fill(os.memfd_create("x"), 400); time.sleep(60)',
  'a mapping of such a file that is closed and not touched': `
file = os.memfd_create("x")
fill(file, 400)
kept = mmap.mmap(file, 400 * MIB)
os.close(file)
time.sleep(60)`,
  // The mapped size is limited by RLIMIT_MEMLOCK, but written pages stay. 447 is memfd_secret(2), which some kernels lack.
  'secret memory, written in pieces': `
file = ctypes.CDLL(None).syscall(447, 0)
if file < 0: fill(os.memfd_create("x"), 400)
else:
    os.ftruncate(file, 400 * MIB)
    for at in range(0, 400 * MIB, MIB):
        with mmap.mmap(file, MIB, offset=at) as piece: piece[:] = b"x" * MIB
time.sleep(60)`,
  'shared memory with a name': 'fill(os.open("/dev/shm/x", os.O_CREAT | os.O_WRONLY), 400); time.sleep(60)',
  'a file in its folder, closed': `
file = os.open("/tmp/x", os.O_CREAT | os.O_WRONLY)
fill(file, 400)
os.close(file)
time.sleep(60)`,
  'a mapping shared with its children': `
kept = mmap.mmap(-1, 400 * MIB)
for at in range(0, 400 * MIB, 4096): kept[at] = 1
for _ in range(3):
    if os.fork() == 0: break
time.sleep(60)`,
  'children that each have a part': `
for _ in range(4):
    if os.fork() == 0:
        kept = b"x" * (100 * MIB)
        break
time.sleep(60)`,
}
const SEGMENT = `
libc = ctypes.CDLL(None, use_errno=True)
libc.shmat.restype = ctypes.c_void_p
segment = libc.shmget(0, ctypes.c_size_t(400 * MIB), 0o1600)
if segment < 0: sys.exit(7)
place = libc.shmat(segment, None, 0)
ctypes.memset(place, 1, 400 * MIB)
libc.shmdt(ctypes.c_void_p(place))
time.sleep(60)`
const HONEST = `
kept = bytearray(b"x") * (190 * MIB)
file = os.memfd_create("x")
fill(file, 20)
shared = mmap.mmap(file, 20 * MIB)
for at in range(0, 20 * MIB, 4096): shared[at]
for _ in range(4):
    if os.fork() == 0:
        for at in range(0, 20 * MIB, 4096): shared[at]
        time.sleep(4)
        os._exit(0)
for _ in range(4): os.wait()`

const OVER = /^(used|needed more than) \d+ MiB of memory, over its limit of 256 MiB; use less, or raise MODEL_MEMORY/

const missing = process.platform === 'linux' ? pythonIsMissing() : 'no Linux'
const noGroup = groupsAreMissing()
const mechanisms = [
  ['by a control group', groups],
  ['by counting', openLimitGroups({ without: { memory: 'switched off in this test' } })],
] as const

describe.skipIf(missing !== null)('the memory limit', () => {
  for (const [how, limitGroups] of mechanisms) {
    const isAbsent = how === 'by a control group' && noGroup !== null
    it.skipIf(isAbsent)(
      `counts every kind of memory once, ${how}${isAbsent ? ` (skipped: ${noGroup})` : ''}`,
      async () => {
        const open = await openConfinement(limitGroups)
        expect(open.confinement.openBecause).toBe(null)
        const found = await Promise.all(
          Object.entries(WAYS).map(async ([way, code]) => [way, await hold(open, code)] as const),
        )
        const expected = Object.keys(WAYS).map((way) => [way, expect.stringMatching(OVER)])
        expect(Object.fromEntries(found)).toEqual(Object.fromEntries(expected))
        // The owner of a segment cannot be determined, so segments are forbidden where no control group counts them.
        const segment = limitGroups.problems.memory !== null ? 'exit code 7' : expect.stringMatching(OVER)
        expect(await hold(open, SEGMENT)).toEqual(segment)
        expect(await hold(open, HONEST)).toBe('exit code 0')
      },
      LIMIT_MS,
    )
  }

  it.skipIf(noGroup !== null)('is reported as the reason when Linux kills a model', async () => {
    const space = await createWorkspace()
    cleanups.push(() => space.remove())
    await space.submission(
      'a',
      `import { writeFileSync } from 'node:fs'
      setTimeout(() => { for (let n = 0; n < 400; n += 1) writeFileSync('/dev/shm/' + n, Buffer.alloc(1 << 20, 'x')) }, 500)`,
    )
    await space.models([{ id: '1', submission_id: 'a', desired_state: 'RUNNING' }])
    const orchestrator = await startOrchestrator({
      crunchId: 'starter-challenge',
      port: 0,
      modelsFile: space.modelsFile,
      submissionsDirectory: space.submissions,
      logsDirectory: space.logs,
      baseClassName: 'tracker.TrackerBase',
      runnerCommand: STAND_IN,
      log: rememberingLog(),
      restart: { maxQuickFailures: 1 },
      modelLimits: { memoryMib: LIMIT_MIB, folderMib: 1_024 },
    })
    cleanups.push(() => orchestrator.close())
    const failure = await until('the failure', () => orchestrator.models()[0]?.lastFailure, LIMIT_MS)
    expect(failure.reason).toMatch(
      /^was stopped because it needed more than 256 MiB of memory, over its limit of 256 MiB/,
    )
  })
})

it.skipIf(noGroup !== null)('removes the control group of memory with its model', async () => {
  const opened = groups.open({ memoryMib: 64, tasks: 16 })
  const file = join(home, 'group')
  await writeFile(file, '')
  const program = opened.enter({ command: '/bin/sh', args: ['-c', `cat /proc/self/cgroup > ${file}`] })
  await runProgram({
    command: program.command,
    args: program.args,
    directory: '/',
    environment: { PATH: process.env.PATH ?? '' },
    limitMs: LIMIT_MS,
    signal: never,
    guard,
  })
  const [, name = ''] = new RegExp(`/(crunch-limits-${process.pid}-\\d+)\n`).exec(await readFile(file, 'utf8')) ?? []
  expect(name).not.toBe('')
  const paths = groups.homes.map((path) => join(path, name))
  expect(paths.map((path) => existsSync(path))).toEqual(paths.map(() => true))
  opened.remove()
  await until('the groups are gone', () => !paths.some((path) => existsSync(path)))
})
