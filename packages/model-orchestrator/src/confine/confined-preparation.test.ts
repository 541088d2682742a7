import { execFile } from 'node:child_process'
import { existsSync } from 'node:fs'
import { mkdir, mkdtemp, realpath, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { pythonIsMissing } from '@crunch/python-peers'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { groupsAreMissing } from '../../test/limit-groups.ts'
import { type OpenWorkshopOptions, openConfinement, openWorkshopIn } from '../../test/open-workshop.ts'
import { startPackageIndex } from '../../test/package-index.ts'
import { rememberingLog } from '../../test/workspace.ts'
import { openLimitGroups } from '../limit/limit-groups.ts'
import { taskLimit } from '../limit/model-limits.ts'
import { readNotebook } from '../prepare/notebook/read-notebook.ts'
import { createPythonEnvironments } from '../prepare/python/python-environments.ts'
import { findPython } from '../prepare/python/python-interpreter.ts'
import type { Workshop } from '../prepare/workshop.ts'
import { startProcessGuard } from '../process/process-guard.ts'
import type { ProcessTable } from '../process/process-table.ts'
import { removeFolder } from '../process/remove-folder.ts'
import { readOwnFile } from '../submission/read-own-file.ts'

const LIMIT_MS = 240_000

const COUNTED = openLimitGroups({ without: { memory: 'switched off in this test', pids: 'switched off in this test' } })
const REFUSED = groupsAreMissing()
const GROUPED = REFUSED === null
/** Never sees a process, as if each sample came too late. */
const BLIND: ProcessTable = { intervalMs: 60_000, read: async () => [], setForeign: () => undefined }

const never = new AbortController().signal

// The tests share one confinement, one package index and one folder of environments: each takes seconds to create.
const guard = startProcessGuard(rememberingLog())
const confinement = await openConfinement(guard, {})
/** Why programs cannot be confined on this machine; null if they can. */
const missing = process.env.CI === 'true' ? null : (pythonIsMissing() ?? confinement.openBecause)

let home: string
let index: Awaited<ReturnType<typeof startPackageIndex>>
let python: string
const cleanups: (() => unknown)[] = []

/** Tries what code of a package could do before its model serves. Prints its findings to stderr; writes to a file if it may. */
const attackOf = (secret: string, marker: string, ports: string) => `
import json, os, socket, sys
found = {}
def attempt(name, work):
    try:
        found[name] = str(work())
    except Exception as error:
        found[name] = type(error).__name__
def connect(port):
    with socket.create_connection(("127.0.0.1", port), 2) as connection:
        return "connected"
def first_readable(folder):
    return [pid for pid in os.listdir(folder) if pid.isdigit() and "SECRET" in open(f"/proc/{pid}/environ").read()]
attempt("secret", lambda: open(${JSON.stringify(secret)}).read())
attempt("passwords", lambda: open("/etc/shadow").read()[:10])
attempt("outside", lambda: open(${JSON.stringify(marker)}, "w").write("x"))
attempt("shared cache", lambda: open(os.path.join(os.path.dirname(os.path.dirname(sys.prefix)), "packages", "poison"), "w"))
attempt("environment", lambda: [name for name, value in os.environ.items() if "SECRET" in name or "hunter2" in value])
attempt("command lines", lambda: [pid for pid in os.listdir("/proc") if pid.isdigit() and "hunter2" in open(f"/proc/{pid}/cmdline").read()])
attempt("other processes", lambda: first_readable("/proc"))
for port in json.load(open(${JSON.stringify(ports)})) if os.path.exists(${JSON.stringify(ports)}) else [8001, 5432]:
    attempt("host port", lambda: connect(port))
attempt("privileges", lambda: int([line for line in open("/proc/self/status") if line.startswith("CapEff")][0].split()[1], 16))
print("FOUND " + json.dumps(found), file=sys.stderr)
raise SystemExit(1)
`

beforeAll(async () => {
  home = await realpath(await mkdtemp(join(tmpdir(), 'preparation-')))
  const environment = { PATH: process.env.PATH ?? '' }
  python = (await findPython({ program: 'python3', environment, signal: never, guard })).executable
  await writeFile(join(home, 'secret.txt'), 'the password')
  if (missing !== null) return
  const attack = join(home, 'attack.py')
  await writeFile(attack, attackOf(join(home, 'secret.txt'), join(home, 'marker'), join(home, 'ports.json')))
  await mkdir(join(home, 'index'))
  index = await startPackageIndex(join(home, 'index'), attack)
  await writeFile(join(home, 'ports.json'), JSON.stringify([index.port, index.foreignPort]))
})
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup()
})
afterAll(async () => {
  index?.close()
  guard.close()
  // One test creates a folder that is nested too deeply for `rm` of Node.js.
  await removeFolder(home)
})

async function runPython(workshop: Workshop, code: string, limitMs = LIMIT_MS) {
  const folder = await mkdtemp(join(home, 'work-'))
  return workshop.run({
    command: python,
    args: ['-I', '-c', code],
    directory: folder,
    environment: { PATH: process.env.PATH ?? '' },
    programs: [python],
    readable: [],
    writable: [folder],
    limitMs,
    signal: never,
  })
}

function openWorkshop(options: OpenWorkshopOptions = {}) {
  const workshop = openWorkshopIn(confinement, guard, options)
  cleanups.push(workshop.close)
  return workshop
}

function open({ allowBuilds = false } = {}) {
  const workshop = openWorkshop()
  const environments = createPythonEnvironments({
    directory: join(home, 'environments'),
    program: 'python3',
    source: { PATH: process.env.PATH, HOME: process.env.HOME, SECRET_OF_THE_NODE: 'x', PIP_INDEX_URL: index.url },
    guard,
    workshop,
    allowBuilds,
    runnerRequirement: 'fake-runner==1',
    limitMs: LIMIT_MS,
  })
  cleanups.push(() => environments.close())
  const lines: string[] = []
  const install = (...requirements: readonly string[]) =>
    environments.ensure(requirements, 'requirements.txt', never, (line) => void lines.push(line))
  const refused = (...requirements: readonly string[]) =>
    install(...requirements).then(
      () => {
        throw new Error('it was installed')
      },
      (error: Error) => error.message,
    )
  return { workshop, install, refused, lines }
}

const SEEN_CONFINED = {
  secret: 'FileNotFoundError',
  passwords: 'FileNotFoundError',
  // The parent folders exist inside the namespace, in memory, and vanish with it.
  outside: expect.any(String),
  'shared cache': 'FileNotFoundError',
  environment: '[]',
  'command lines': '[]',
  'other processes': '[]',
  'host port': 'ConnectionRefusedError',
  privileges: '0',
}

describe.skipIf(missing !== null)(
  `a program that prepares a submission${missing ? ` (skipped: ${missing})` : ''}`,
  () => {
    it(
      'runs no code of a package unless builds are allowed',
      async () => {
        const { refused } = open()
        index.asked.splice(0)
        expect(await refused('looks')).toContain('only wheels are installed')
        expect(index.asked).not.toContain('files/looks-1.tar.gz')
        // A wheel requires this source package by its URL.
        await refused('by-path')
        expect(existsSync(join(home, 'marker'))).toBe(false)
      },
      LIMIT_MS,
    )

    it(
      'builds packages confined where builds are allowed: they reach nothing but the package index',
      async () => {
        const { refused, lines } = open({ allowBuilds: true })
        await refused('looks')
        const line = lines.find((text) => text.includes('FOUND ')) ?? ''
        expect(JSON.parse(line.slice(line.indexOf('{')))).toEqual(SEEN_CONFINED)
        expect(existsSync(join(home, 'marker'))).toBe(false)
        await refused('by-address')
        expect(index.elsewhere).toEqual([])
      },
      LIMIT_MS,
    )

    // Each program exceeds one limit and then sleeps, so that the result does not depend on the machine's speed.
    const allocate = `
import time
kept = []
try:
    while True: kept.append(bytearray(b"x") * (32 << 20))
except MemoryError:
    time.sleep(600)`
    const hold = 'import time\nfor n in range(40): open(str(n), "wb").write(b"x" * (1 << 20))\ntime.sleep(600)'
    const touch = 'import time\nfor n in range(300): open(str(n), "wb")\ntime.sleep(600)'
    const dig = 'import os, time\nfor n in range(30): os.mkdir("x" * 200); os.chdir("x" * 200)\ntime.sleep(600)'
    // One endless line.
    const shout = 'import os, time\nfor n in range(100): os.write(1, b"x" * (1 << 20))\ntime.sleep(600)'
    it.each([
      ['memory', allocate, {}, /^(needed more than|used) \d+ MiB of memory, over its limit of 1024 MiB/],
      ['counted memory', allocate, { groups: COUNTED }, /^used \d+ MiB of memory, over its limit of 1024 MiB/],
      ['disk', hold, { diskMib: 20 }, /^wrote \d+ MiB, over its limit of 20 MiB/],
      ['empty files', touch, { files: 200 }, /^created more than 200 files, its limit$/],
      ['the depth of folders, which cannot be measured', dig, {}, /^created a folder whose size .* \(ENAMETOOLONG\)$/],
      ['output', shout, {}, /^printed more than 64 MiB$/],
    ])(
      'is killed over the limit of %s',
      async (_, code, limits, message) => {
        expect(await runPython(openWorkshop(limits), code)).toMatchObject({ over: expect.stringMatching(message) })
      },
      LIMIT_MS,
    )

    const fork = `
import os, time
def work(): time.sleep(600)
while True:
    try:
        if os.fork() == 0: work()
    except OSError:
        work()`
    // Only the sampling of processes stops this one, so it stays small.
    const few = 'import os, time\nfor _ in range(200): os.fork() or time.sleep(600)\ntime.sleep(600)'
    it.each([
      ['groups refuse', fork, {}],
      ['no group counts', few, { groups: COUNTED }],
    ])(
      'is killed when it runs too many processes, where %s them',
      async (_, code, limits) => {
        const { over } = await runPython(openWorkshop(limits), code)
        expect(over).toMatch(/^ran \d+ processes, over its limit of 64; start fewer, or raise MODEL_PROCESSES$/)
        if (GROUPED) expect(Number(/\d+/.exec(over ?? '')?.[0])).toBeLessThanOrEqual(taskLimit({ processes: 64 }))
      },
      LIMIT_MS,
    )

    it.skipIf(!GROUPED).each([
      ['a process', 'os.fork() or time.sleep(600)'],
      ['a thread', 'threading.Thread(target=time.sleep, args=(600,), daemon=True).start()'],
    ])(
      `fails with the process limit when Linux refuses %s before the first sample${GROUPED ? '' : ` (skipped: ${REFUSED})`}`,
      async (_, start) => {
        const prelude = 'import os, threading, time\nthreading.stack_size(1 << 16)'
        const { code, over } = await runPython(openWorkshop({ table: BLIND }), `${prelude}\nwhile True: ${start}`)
        expect(code).not.toBe(0)
        const limit = `${taskLimit({ processes: 64 })} processes and threads`
        expect(over).toBe(
          `wanted more than ${limit} at once, over its limit of ${limit}; start fewer, or raise MODEL_PROCESSES`,
        )
      },
      LIMIT_MS,
    )

    it.skipIf(!GROUPED)(
      `fails with the number of processes when many processes together exceed the memory limit${GROUPED ? '' : ` (skipped: ${REFUSED})`}`,
      async () => {
        const share = `
import os, sys, time
for _ in range(100):
    if os.fork() == 0:
        kept = b"x" * (16 << 20)
        time.sleep(600)
os.wait()
sys.exit(3)`
        const { over } = await runPython(openWorkshop({ table: BLIND }), share)
        expect(over).toMatch(
          /^needed more than 1024 MiB of memory for up to \d+ processes and threads, over its limit of 1024 MiB; use less/,
        )
      },
      LIMIT_MS,
    )

    it('is killed when it takes too long', async () => {
      expect(await runPython(openWorkshop(), 'import time; time.sleep(600)', 2_000)).toMatchObject({
        isLate: true,
        over: null,
      })
    })

    it(
      "reads a notebook without the author's packages",
      async () => {
        const { install, workshop, lines } = open()
        const { interpreter } = await install('startup')
        const file = join(home, 'model.ipynb')
        const read = async (source: string) => {
          await writeFile(file, JSON.stringify({ nbformat: 4, cells: [{ cell_type: 'code', source }] }))
          return readNotebook({ file, interpreter, workshop, scratchDirectory: join(home, 'books'), signal: never })
        }
        await writeFile(join(home, 'ast.py'), `open(${JSON.stringify(join(home, 'marker'))}, "w")`)
        await expect(read('def f(:\n')).rejects.toThrow(/cell 1 line 1: /)
        expect(await read(`import ast\nx = ${'('.repeat(150)}${')'.repeat(150)}\n`)).toMatchObject({
          lines: ['import ast', expect.stringMatching(/^#x = /)],
        })
        expect(existsSync(join(home, 'marker'))).toBe(false)
        expect(lines.join('\n')).not.toContain('FOUND')
      },
      LIMIT_MS,
    )

    it(
      'installs only files with the hashes in the requirements',
      async () => {
        const { install, refused } = open()
        const hash = await index.hashOf('honest-1-py3-none-any.whl')
        await install(`honest==1 --hash=sha256:${hash}`)
        expect(await refused(`honest==1 --hash=sha256:${'0'.repeat(64)}`)).toContain('installing honest==1')
      },
      LIMIT_MS,
    )
  },
)

it('refuses to read a file through a link that leaves the submission, since an error would quote its lines', async () => {
  await mkdir(join(home, 'one'))
  await symlink(join(home, 'secret.txt'), join(home, 'one', 'requirements.txt'))
  const error: Error = await readOwnFile(join(home, 'one', 'requirements.txt')).then(
    () => new Error('it was read'),
    (reason) => reason,
  )
  expect(error.message).toContain('it is a link that leaves the folder')
  expect(error.message).not.toContain('the password')
})

it.skipIf(process.platform === 'win32')('refuses to read a pipe, which would block', async () => {
  await promisify(execFile)('mkfifo', [join(home, 'requirements.txt')])
  await expect(readOwnFile(join(home, 'requirements.txt'))).rejects.toThrow(/cannot be read: it is not a file/)
})
