import { lstat, mkdir, readdir, readFile, realpath, rename, rm, symlink, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { openWorkshop } from '../../../test/open-workshop.ts'
import { createStandInPython } from '../../../test/stand-in-python.ts'
import { isAlive, rememberingLog, until } from '../../../test/workspace.ts'
import { type ProcessGuard, startProcessGuard } from '../../process/process-guard.ts'
import { createPythonEnvironments, PYTHON_RUNNER_REQUIREMENT, type PythonEnvironments } from './python-environments.ts'

let python: Awaited<ReturnType<typeof createStandInPython>>
let home: string
let guard: ProcessGuard
let workshop: Awaited<ReturnType<typeof openWorkshop>>
const opened: PythonEnvironments[] = []

beforeEach(async () => {
  python = await createStandInPython()
  home = python.home
  guard = startProcessGuard(rememberingLog())
  workshop = await openWorkshop(guard, { namespaces: 'off' })
})
afterEach(async () => {
  await Promise.all(opened.splice(0).map((one) => one.close()))
  workshop.close()
  guard.close()
  await python.remove()
})

function open({
  source = {},
  ...more
}: {
  limitMs?: number
  program?: string
  source?: NodeJS.ProcessEnv
} = {}): PythonEnvironments {
  const environments = createPythonEnvironments({
    directory: join(home, 'environments'),
    program: python.program,
    source: {
      PATH: process.env.PATH,
      HTTPS_PROXY: 'http://proxy:1',
      DATABASE_URL: 'secret',
      ...source,
    },
    guard,
    workshop,
    ...more,
  })
  opened.push(environments)
  return environments
}

const lines: string[] = []
const onLine = (line: string) => void lines.push(line)
const never = new AbortController().signal
const ensure = (environments: PythonEnvironments, requirements: readonly string[] = [], signal = never) =>
  environments.ensure(requirements, 'sum/requirements.txt', signal, onLine)

describe('environments for Python models', () => {
  it('are created once per set of requirements, for any number of models and orchestrators', async () => {
    const [here, there] = [open(), open()]
    const made = await Promise.all([ensure(here, ['a==1']), ensure(here, ['a==1']), ensure(there, ['a==1'])])
    expect(new Set(made.map(({ directory }) => directory)).size).toBe(1)
    expect((await python.calls()).map(({ call }) => call)).toEqual(['venv', 'pip'])
    expect((await python.calls())[1]?.packages).toEqual([PYTHON_RUNNER_REQUIREMENT, 'a==1'])
    expect((await ensure(open(), ['numpy', 'a==1', 'a==1'])).directory).toBe(made[0]?.directory)
    expect((await ensure(open(), ['b==1'])).directory).not.toBe(made[0]?.directory)
    expect(await python.calls()).toHaveLength(4)
  })

  it("are installed from wheels of the operator's index, by programs without the node's settings or the index password", async () => {
    const pipSettings = [
      "global.index-url='http://user:secret@127.0.0.1:9/main/'",
      "global.extra-index-url='http://127.0.0.1:9/more/'",
      `:env:.find-links='${home}'`,
      "install.platform='any'",
    ]
    await python.behave({ pipSettings })
    await ensure(open())
    for (const { env } of await python.calls()) {
      expect(env).toMatchObject({ PIP_USE_PEP517: '1', PIP_CONFIG_FILE: '/dev/null' })
      expect(JSON.stringify(env)).not.toMatch(/secret|proxy:1|DATABASE_URL/)
    }
    const install = (await python.calls())[1]?.args ?? []
    expect(install).toEqual(
      expect.arrayContaining([
        expect.stringMatching(/^--index-url=http:\/\/127\.0\.0\.1:\d+\/simple\/0\/$/),
        expect.stringMatching(/^--extra-index-url=http:\/\/127\.0\.0\.1:\d+\/simple\/1\/$/),
        `--find-links=${home}`,
        '--only-binary=:all:',
      ]),
    )
    expect(lines).toContain('pip\'s setting "platform" has no effect here')
  })

  it('refuse requirements that are not package names', async () => {
    for (const wrong of ['-e .', 'x @ https://host/x.whl', '../x', 'x --config-settings=a=b']) {
      await expect(ensure(open(), [wrong])).rejects.toMatchObject({ code: 'BUILD_FAILED' })
    }
    expect(await python.calls()).toEqual([])
  })

  it('are not used if one of their programs was replaced by a link', async () => {
    const { runner, directory } = await ensure(open())
    await rm(runner)
    // Even if the target exists: models would also see the intermediate links.
    await symlink('../../complete.json', runner)
    await ensure(open())
    expect(await python.calls()).toHaveLength(4)
    const elsewhere = join(home, 'elsewhere')
    await rename(join(directory, 'venv', 'bin'), elsewhere)
    await rm(join(elsewhere, 'python'))
    await symlink(python.program, join(elsewhere, 'python'))
    await symlink(elsewhere, join(directory, 'venv', 'bin'))
    await ensure(open())
    expect(await python.calls()).toHaveLength(6)
    expect((await lstat(runner)).isSymbolicLink()).toBe(false)
  })

  it.each([
    ['another program', async (path: string) => symlink('/bin/true', path)],
    ['a path that resolves to Python but reads like a secret file', linkThroughFolder],
  ])('are not used if their Python was replaced by a link to %s', async (_, replace) => {
    const { python: interpreter } = await ensure(open())
    await rm(interpreter)
    await replace(interpreter)
    await ensure(open())
    expect(await python.calls()).toHaveLength(4)
  })

  it('are rebuilt if they are incomplete or their interpreter is gone', async () => {
    const { directory, python: interpreter } = await ensure(open())
    await rm(join(directory, 'complete.json'))
    await writeFile(join(directory, 'leftover'), '')
    await ensure(open())
    expect((await python.calls()).map(({ hadLeftovers }) => hadLeftovers)).toEqual([false, undefined, false, undefined])
    await rm(interpreter)
    await ensure(open())
    expect(await python.calls()).toHaveLength(6)
  })

  it('fail with the requirement and the last lines, and are installed again at the next try', async () => {
    const prints = [...Array(40).keys()].map((index) => `line ${index}`)
    await python.behave({ exitCode: 1, prints: [...prints, 'ERROR: No matching distribution found for b==2'] })
    const environments = open()
    const error: Error = await ensure(environments, ['a==1', 'b==2']).then(fail, (reason) => reason)
    expect(error).toMatchObject({ code: 'BUILD_FAILED' })
    expect(error.message).toMatch(
      /^sum\/requirements\.txt: installing b==2 failed \(exit code 1\): No matching distribution found for b==2; .*; last lines: line 29\n/,
    )
    expect(error.message).toMatch(/No matching distribution found for b==2$/)
    expect(lines).toContain('line 0')
    expect((await readdir(join(home, 'environments'))).filter((name) => !name.endsWith('.lock'))).toEqual([])
    await python.behave({})
    await ensure(environments, ['a==1', 'b==2'])
  })

  it('are installed by the pip of the interpreter, or by their own if it has none', async () => {
    for (const hasPip of [true, false]) {
      await python.behave({ hasPip })
      await ensure(open(), [`a==${hasPip}`])
    }
    const [shared, installed, own, installedByOwn] = (await python.calls()).map(({ args }) => args ?? [])
    expect(shared).toContain('--without-pip')
    expect(installed).toEqual(expect.arrayContaining(['--python', `${shared?.at(-1)}/bin/python`]))
    expect(own).not.toContain('--without-pip')
    expect(installedByOwn).not.toContain('--python')
  })

  it('are created with uv if it is installed', async () => {
    const uv = `#!/bin/sh
echo "$*" >> '${home}/UV_CALLS'
for last; do :; done
case "$1" in
  venv) mkdir -p "$last/bin"; cp '${python.program}' "$last/bin/python" ;;
  pip) touch "$(dirname "$5")/model-runner" ;;
esac`
    await writeFile(join(home, 'uv'), uv, { mode: 0o755 })
    const PATH = `${home}:${process.env.PATH}`
    const { directory } = await ensure(open({ source: { PATH, UV_DEFAULT_INDEX: 'http://127.0.0.1:9/uv/' } }), ['a==1'])
    const [venv, install] = (await readFile(join(home, 'UV_CALLS'), 'utf8')).trim().split('\n')
    expect(venv).toBe(`venv --allow-existing --python ${python.program} ${directory}/venv`)
    expect(install).toMatch(
      new RegExp(
        `^pip install --compile-bytecode --python ${directory}/venv/bin/python --index-url=http://127.0.0.1:\\d+/simple/0/ ` +
          `--only-binary=:all: --no-binary=importlib -r ${directory}/requirements.txt$`,
      ),
    )
    expect(await python.calls()).toEqual([])
  })

  it('explain that only wheels are installed', async () => {
    await python.behave({ exitCode: 1, prints: ['ERROR: No matching distribution found for b==2'] })
    const error: Error = await ensure(open(), ['b==2']).then(fail, (reason) => reason)
    expect(error.message).toMatch(/failed \(exit code 1\): No matching .*; only wheels are installed: choose/)
    expect(error.message).toContain('MODEL_ALLOW_BUILDS=true')
  })

  it('kill an installation that takes too long', async () => {
    await python.behave({ waitsFor: 'NOTHING' })
    const error: Error = await ensure(open({ limitMs: 3_000 })).then(fail, (reason) => reason)
    expect(error.message).toContain(`installing ${PYTHON_RUNNER_REQUIREMENT} did not finish within 3000 ms`)
  })

  it('stop waiting when the model is stopped, and kill the installation on close', async () => {
    await python.behave({ waitsFor: 'NOTHING' })
    const environments = open()
    const stopping = new AbortController()
    const leaving = ensure(environments, [], stopping.signal)
    const pid = await until('the installation', python.installerPid)
    stopping.abort(new Error('no longer wanted'))
    await expect(leaving).rejects.toThrow('no longer wanted')
    expect(isAlive(pid)).toBe(true)
    await environments.close()
    await until('the installer is gone', () => !isAlive(pid))
  })

  it.each([
    ['an old one', { version: [3, 9, 2] }, undefined, /is Python 3\.9\.2, which is too old; install Python 3\.11/],
    [
      'none',
      {},
      '/nowhere/python3',
      /Python models need Python: \/nowhere\/python3 cannot be started.*MODEL_ORCHESTRATOR_PYTHON/,
    ],
    ['another program', {}, '/bin/true', /"\/bin\/true" does not report its Python version/],
  ])('need a Python of 3.11 or newer, not %s', async (_, behaviour, program, message) => {
    await python.behave(behaviour)
    const error: Error = await ensure(open(program === undefined ? {} : { program })).then(fail, (reason) => reason)
    expect(error).toMatchObject({ code: 'BUILD_FAILED' })
    expect(error.message).toMatch(message)
  })

  it('report the folder that cannot be created', async () => {
    await writeFile(join(home, 'environments'), 'a file')
    await expect(ensure(open())).rejects.toThrow(/environments.*(ENOTDIR|EEXIST)/)
  })
})

/** Intermediate links become visible to models by path: "d/../../x" names another file if d is a link. */
async function linkThroughFolder(path: string): Promise<void> {
  await writeFile(join(home, 'secret'), 'the password')
  const venv = dirname(dirname(path))
  await mkdir(join(venv, '1/2/3/4/5/6'), { recursive: true })
  await symlink(python.program, join(venv, '1/secret'))
  await symlink(join(venv, '1/2/3/4/5/6'), join(venv, 'bin/d'))
  await symlink('d/../../../../../secret', path)
  expect(await realpath(path)).toBe(await realpath(python.program))
}

function fail(): never {
  throw new Error('it was made')
}
