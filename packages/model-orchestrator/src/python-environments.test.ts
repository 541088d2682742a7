import { chmod, cp, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { isAlive, rememberingLog, until } from '../test/workspace.ts'
import { type ProcessGuard, startProcessGuard } from './process-guard.ts'
import { createPythonEnvironments, PYTHON_RUNNER_REQUIREMENT, type PythonEnvironments } from './python-environments.ts'

const STAND_IN = fileURLToPath(new URL('../test/stand-in-python.mjs', import.meta.url))

let home: string
let guard: ProcessGuard
const opened: PythonEnvironments[] = []

beforeEach(async () => {
  home = await mkdtemp(join(tmpdir(), 'stand-in-python-'))
  // Node takes a file without an ending for CommonJS unless its folder says otherwise.
  await writeFile(join(home, 'package.json'), '{"type":"module"}')
  await cp(STAND_IN, join(home, 'python3'))
  await chmod(join(home, 'python3'), 0o755)
  await behave({})
  guard = startProcessGuard(rememberingLog())
})
afterEach(async () => {
  await Promise.all(opened.splice(0).map((one) => one.close()))
  guard.close()
  await rm(home, { recursive: true, force: true, maxRetries: 5 })
})

const behave = (behaviour: object) => writeFile(join(home, 'BEHAVIOUR'), JSON.stringify(behaviour))

function open(more: { readonly limitMs?: number; readonly program?: string } = {}): PythonEnvironments {
  const environments = createPythonEnvironments({
    directory: join(home, 'environments'),
    program: join(home, 'python3'),
    source: { PATH: process.env.PATH, PIP_STAND_IN_HOME: home, HTTPS_PROXY: 'http://proxy:1', DATABASE_URL: 'secret' },
    guard,
    ...more,
  })
  opened.push(environments)
  return environments
}

interface Call {
  readonly call: 'venv' | 'pip'
  readonly packages?: readonly string[]
  readonly hadLeftovers?: boolean
  readonly env: Readonly<Record<string, string>>
}

async function calls(): Promise<readonly Call[]> {
  const text = await readFile(join(home, 'CALLS'), 'utf8').catch(() => '')
  return text
    .split('\n')
    .filter(Boolean)
    .map((line) => JSON.parse(line))
}

const lines: string[] = []
const tell = (line: string) => void lines.push(line)
const never = new AbortController().signal
const ensure = (environments: PythonEnvironments, requirements: readonly string[] = [], signal = never) =>
  environments.ensure(requirements, 'sum/requirements.txt', signal, tell)

describe('environments for Python models', () => {
  it('are made once for the same requirements, by any number of models and orchestrators', async () => {
    const [here, there] = [open(), open()]
    const made = await Promise.all([ensure(here, ['a==1']), ensure(here, ['a==1']), ensure(there, ['a==1'])])
    expect(new Set(made.map(({ directory }) => directory)).size).toBe(1)
    expect((await calls()).map(({ call }) => call)).toEqual(['venv', 'pip'])
    expect((await calls())[1]?.packages).toEqual([PYTHON_RUNNER_REQUIREMENT, 'a==1'])
    expect((await ensure(open(), ['numpy', 'a==1', 'a==1'])).directory).toBe(made[0]?.directory)
    expect((await ensure(open(), ['b==1'])).directory).not.toBe(made[0]?.directory)
    expect(await calls()).toHaveLength(4)
  })

  it("reach the index with pip's own settings and the proxy, and know nothing of the node", async () => {
    await ensure(open())
    for (const { env } of await calls()) {
      expect(env).toMatchObject({ HTTPS_PROXY: 'http://proxy:1', PIP_STAND_IN_HOME: home })
      expect(env).not.toHaveProperty('DATABASE_URL')
    }
  })

  it('are made anew when they were left half built or their interpreter is gone', async () => {
    const { directory, python } = await ensure(open())
    await rm(join(directory, 'complete.json'))
    await writeFile(join(directory, 'leftover'), '')
    await ensure(open())
    expect((await calls()).map(({ hadLeftovers }) => hadLeftovers)).toEqual([false, undefined, false, undefined])
    await rm(python)
    await ensure(open())
    expect(await calls()).toHaveLength(6)
  })

  it('fail with the requirement and the last lines; another try installs again', async () => {
    const prints = [...Array(40).keys()].map((index) => `line ${index}`)
    await behave({ exitCode: 1, prints: [...prints, 'ERROR: No matching distribution found for b==2'] })
    const environments = open()
    const error: Error = await ensure(environments, ['a==1', 'b==2']).then(fail, (reason) => reason)
    expect(error).toMatchObject({ code: 'BUILD_FAILED' })
    expect(error.message).toMatch(
      /^sum\/requirements\.txt: installing b==2 failed \(exit code 1\); last lines: line 29\n/,
    )
    expect(error.message).toMatch(/No matching distribution found for b==2$/)
    expect(lines).toContain('line 0')
    expect((await readdir(join(home, 'environments'))).filter((name) => !name.endsWith('.lock'))).toEqual([])
    await behave({})
    await ensure(environments, ['a==1', 'b==2'])
  })

  it('end an installation that takes too long', async () => {
    await behave({ waitsFor: 'NOTHING' })
    const error: Error = await ensure(open({ limitMs: 3_000 })).then(fail, (reason) => reason)
    expect(error.message).toContain(`installing ${PYTHON_RUNNER_REQUIREMENT} was not done within 3000 ms`)
  })

  it('let a model leave that is stopped meanwhile, and end the installation when they are closed', async () => {
    await behave({ waitsFor: 'NOTHING' })
    const environments = open()
    const stopping = new AbortController()
    const leaving = ensure(environments, [], stopping.signal)
    const written = () => readFile(join(home, 'INSTALLING'), 'utf8').catch(() => '')
    const pid = Number(await until('the installation', async () => (await written()) || null))
    stopping.abort(new Error('no longer wanted'))
    await expect(leaving).rejects.toThrow('no longer wanted')
    expect(isAlive(pid)).toBe(true)
    await environments.close()
    await until('the installer is gone', () => !isAlive(pid))
  })

  it.each([
    ['an old one', { version: [3, 9, 2] }, undefined, /is Python 3\.9\.2, which is too old; install Python 3\.11/],
    ['none', {}, '/nowhere/python3', /Python models need Python: \/nowhere\/python3 cannot be started.*--python/],
    ['another program', {}, '/bin/true', /"\/bin\/true" does not tell its Python version/],
  ])('need a Python of 3.11 or newer, not %s', async (_, behaviour, program, message) => {
    await behave(behaviour)
    const error: Error = await ensure(open(program === undefined ? {} : { program })).then(fail, (reason) => reason)
    expect(error).toMatchObject({ code: 'BUILD_FAILED' })
    expect(error.message).toMatch(message)
  })

  it('say which folder cannot be made', async () => {
    await writeFile(join(home, 'environments'), 'a file')
    await expect(ensure(open())).rejects.toThrow(/environments.*(ENOTDIR|EEXIST)/)
  })
})

function fail(): never {
  throw new Error('it was made')
}
