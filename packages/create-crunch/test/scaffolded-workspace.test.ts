import { spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { gunzipSync } from 'node:zlib'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type BuiltPackage, buildPackage, repository } from './built-package.ts'

let built: BuiltPackage
beforeAll(() => {
  built = buildPackage()
})
afterAll(() => built.remove())

/** Links the packages that an installation would create, from the monorepo. */
function linkInstalled(workspace: string, name: string): void {
  symlinkSync(join(repository, 'node_modules'), join(workspace, 'node_modules'))
  symlinkSync(join(repository, 'templates/challenge/node_modules'), join(workspace, 'challenge/node_modules'))
  const modules = join(workspace, 'node/node_modules')
  mkdirSync(modules)
  for (const dependency of ['@crunch', 'zod']) {
    symlinkSync(join(repository, 'templates/node/node_modules', dependency), join(modules, dependency))
  }
  symlinkSync('../../challenge', join(modules, `${name}-challenge`))
}

/** Runs a program of the monorepo in a folder; returns its output, with the exit code as the last line. */
function run(cwd: string, program: string, ...args: readonly string[]): string {
  const bin = join(repository, 'node_modules/.bin', program)
  const options = { cwd, encoding: 'utf8', timeout: 100_000, env: environment() } as const
  const { stdout, stderr, status } = spawnSync(bin, args, options)
  return `${stdout}${stderr}\nexit ${status}`
}

/** The environment without the variables that this test runner sets. */
function environment(): NodeJS.ProcessEnv {
  return { ...process.env, NO_COLOR: '1', VITEST: undefined, NODE_ENV: undefined }
}

const models = { realtime: 'momentum', weather: 'persistence', blank: 'recent-mean' }

describe.each(['realtime', 'weather', 'blank'] as const)('a workspace of the %s pack', (pack) => {
  let workspace: string
  beforeAll(() => {
    workspace = join(built.emptyFolder(), 'my-game')
    expect(built.run(['my-game', '--pack', pack, '--directory', workspace]).code).toBe(0)
    linkInstalled(workspace, 'my-game')
  })

  test.each(['node', 'challenge'])('type-checks in %s by itself', { timeout: 120_000 }, (member) => {
    expect(run(join(workspace, member), 'tsc', '--noEmit')).toBe('\nexit 0')
  })

  test('passes its own tests', { timeout: 120_000 }, () => {
    const output = run(join(workspace, 'challenge'), 'vitest', 'run')
    expect(output).toMatch(/exit 0$/)
    expect(output).toMatch(/Tests +\d+ passed/)
    // CI has Python. Without Python, the output must name the skipped tests.
    const leftOut = /The tests of python\/ are skipped: .*(python3|Python).*/.exec(output)?.[0]
    if (process.env.CI === 'true') expect(leftOut).toBeUndefined()
    if (leftOut === undefined) expect(output).not.toMatch(/skipped/)
    else console.warn(leftOut)
  })

  test('loads its contract and its models without a build', () => {
    const local = './deployment/model-orchestrator-local/data/submissions'
    const script = `
      const { default: contract } = await import('./contract.ts')
      const [Model] = Object.values(await import('${local}/${models[pack]}/main.ts'))
      console.log(contract.name, new Model().predict(contract.feed.subjects[0], 60, 60) !== undefined)`
    expect(run(join(workspace, 'node'), 'tsx', '--input-type=module', '--eval', script)).toBe('my-game true\n\nexit 0')
  })
})

describe('a workspace of the realtime pack', () => {
  let workspace: string
  beforeAll(() => {
    workspace = join(built.emptyFolder(), 'my-game')
    expect(built.run(['my-game', '--pack', 'realtime', '--directory', workspace]).code).toBe(0)
    linkInstalled(workspace, 'my-game')
  })

  test('passes without Python, and reports the skipped tests', { timeout: 120_000 }, () => {
    const vitest = join(repository, 'node_modules/vitest/vitest.mjs')
    const { stdout, stderr, status } = spawnSync(process.execPath, [vitest, 'run', 'test/python.test.ts'], {
      cwd: join(workspace, 'challenge'),
      encoding: 'utf8',
      timeout: 100_000,
      env: { ...environment(), PATH: built.emptyFolder() },
    })
    const output = `${stdout}${stderr}\nexit ${status}`
    expect(output).toMatch(/The tests of python\/ are skipped: python3 cannot be started .*install Python 3\.11/)
    expect(output).toMatch(/Tests +2 skipped/)
    expect(output).toMatch(/exit 0$/)
  })

  // The weather pack needs no such test: its own tests use recorded weather.
  test('has Python examples that agree with the TypeScript ones on real prices', { timeout: 120_000 }, (context) => {
    const recording = join(repository, '../shared/data/series/binance-spot-BTCUSDT-1m-2021-04.csv.gz')
    if (!existsSync(recording)) {
      console.warn(`skipped: ${recording} is not on this machine`)
      context.skip(true, 'no recording')
    }
    const rows = gunzipSync(readFileSync(recording)).toString().split('\n').slice(1, 2_001)
    const closes = rows.map((row) => Number(row.split(',')[4]))
    const file = join(workspace, 'challenge/test/rounds.ts')
    const invented = readFileSync(file, 'utf8')
    const recorded = invented.replace('market(100_000)', JSON.stringify(closes))
    expect(recorded).not.toBe(invented)
    writeFileSync(file, recorded)
    const output = run(join(workspace, 'challenge'), 'vitest', 'run', 'test/python.test.ts')
    writeFileSync(file, invented)
    expect(output).toMatch(/Tests +2 (passed|skipped)/)
    expect(output).toMatch(/exit 0$/)
  })
})
