import { spawnSync } from 'node:child_process'
import { cpSync, existsSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { gunzipSync } from 'node:zlib'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type BuiltPackage, buildPackage, readJson, repository } from './built-package.ts'

/** Of each program. */
const LIMIT_MS = 240_000

/** A model of each pack. */
const models = { realtime: 'momentum', weather: 'persistence', blank: 'recent-mean' }
type Pack = keyof typeof models
const packs = Object.keys(models) as Pack[]

let built: BuiltPackage
/** A program of the tests runs once for the workspaces of all packs: most of its time is its start. */
let workspaces: Record<Pack, string>
beforeAll(() => {
  built = buildPackage()
  workspaces = { realtime: create('realtime'), weather: create('weather'), blank: create('blank') }
})
afterAll(() => built.remove())

/**
 * Creates a workspace with its own name, because TypeScript would take equal packages of two workspaces for one. Links its packages
 * and returns its folder.
 */
function create(pack: Pack): string {
  const name = `my-${pack}`
  const workspace = join(built.emptyFolder(), name)
  expect(built.run([name, '--pack', pack, '--directory', workspace]).code).toBe(0)
  linkInstalled(workspace, name)
  return workspace
}

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
  const options = { cwd, encoding: 'utf8', timeout: LIMIT_MS, env: environment() } as const
  const { stdout, stderr, status } = spawnSync(bin, args, options)
  return `${stdout}${stderr}\nexit ${status}`
}

/** The environment without the variables that this test runner sets. */
function environment(): NodeJS.ProcessEnv {
  return { ...process.env, NO_COLOR: '1', VITEST: undefined, NODE_ENV: undefined }
}

describe('the workspaces of all packs', () => {
  test.each(['node', 'challenge'])('type-check in %s by itself', { timeout: LIMIT_MS }, (member) => {
    const folders = packs.map((pack) => join(workspaces[pack], member))
    const [first = '', ...others] = folders
    for (const other of others) expect(readJson(other, 'tsconfig.json')).toEqual(readJson(first, 'tsconfig.json'))
    const include = folders.map((folder) => `${folder}/**/*.ts`)
    writeFileSync(join(first, 'packs.json'), JSON.stringify({ extends: './tsconfig.json', include }))
    expect(run(first, 'tsc', '--noEmit', '--project', 'packs.json')).toBe('\nexit 0')
  })

  test('load their contract and their models without a build', () => {
    const parts = packs.map((pack) => [join(workspaces[pack], 'node'), models[pack]])
    const script = `
      for (const [node, model] of ${JSON.stringify(parts)}) {
        const { default: contract } = await import(node + '/contract.ts')
        const local = node + '/deployment/model-orchestrator-local/data/submissions/'
        const [Model] = Object.values(await import(local + model + '/main.ts'))
        console.log(contract.name, new Model().predict(contract.feed.subjects[0], 60, 60) !== undefined)
      }`
    const output = run(join(workspaces.realtime, 'node'), 'tsx', '--input-type=module', '--eval', script)
    expect(output).toBe(`${packs.map((pack) => `my-${pack} true\n`).join('')}\nexit 0`)
  })
})

// The weather pack needs no recorded prices: its own tests use recorded weather.
const recording = join(repository, '../shared/data/series/binance-spot-BTCUSDT-1m-2021-04.csv.gz')
const lacksRecording = existsSync(recording) ? null : `${recording} is not on this machine`

describe('the tests of a workspace', () => {
  let tested: ReturnType<typeof runTests>
  beforeAll(() => {
    const projects: Project[] = packs.map((pack) => ({ name: pack, root: join(workspaces[pack], 'challenge') }))
    if (lacksRecording === null) {
      projects.push({ name: 'recorded', root: withRecordedPrices(), include: ['test/python.test.ts'] })
    }
    tested = runTests(projects)
  }, LIMIT_MS)

  test.each(packs)('of the %s pack pass', (pack) => {
    expect(tested.output).toMatch(/exit 0$/)
    expect(tested.states[pack]).toContain('passed')
    // CI has Python. Without Python, the output must name the skipped tests.
    const leftOut = /The tests of python\/ are skipped: .*(python3|Python).*/.exec(tested.output)?.[0]
    if (process.env.CI === 'true') expect(leftOut).toBeUndefined()
    if (leftOut === undefined) expect(new Set(tested.states[pack])).toEqual(new Set(['passed']))
    else console.warn(leftOut)
  })

  test.skipIf(lacksRecording !== null)(
    `pass with real prices: the Python examples agree with the TypeScript ones${lacksRecording ? ` (skipped: ${lacksRecording})` : ''}`,
    () => {
      expect(tested.states.recorded).toHaveLength(2)
      expect(tested.output).toMatch(/exit 0$/)
    },
  )

  test('pass without Python, and report the skipped ones', { timeout: LIMIT_MS }, () => {
    const vitest = join(repository, 'node_modules/vitest/vitest.mjs')
    const { stdout, stderr, status } = spawnSync(process.execPath, [vitest, 'run', 'test/python.test.ts'], {
      cwd: join(workspaces.realtime, 'challenge'),
      encoding: 'utf8',
      timeout: LIMIT_MS,
      env: { ...environment(), PATH: built.emptyFolder() },
    })
    const output = `${stdout}${stderr}\nexit ${status}`
    expect(output).toMatch(/The tests of python\/ are skipped: python3 cannot be started .*install Python 3\.11/)
    expect(output).toMatch(/Tests +2 skipped/)
    expect(output).toMatch(/exit 0$/)
  })
})

/** A copy of the realtime challenge whose rounds have real prices. */
function withRecordedPrices(): string {
  const folder = join(built.emptyFolder(), 'challenge')
  cpSync(join(workspaces.realtime, 'challenge'), folder, { recursive: true, verbatimSymlinks: true })
  const rows = gunzipSync(readFileSync(recording)).toString().split('\n').slice(1, 2_001)
  const closes = rows.map((row) => Number(row.split(',')[4]))
  const file = join(folder, 'test/rounds.ts')
  const invented = readFileSync(file, 'utf8')
  const recorded = invented.replace('market(100_000)', JSON.stringify(closes))
  expect(recorded).not.toBe(invented)
  writeFileSync(file, recorded)
  return folder
}

interface Results {
  readonly testResults: readonly { readonly name: string; readonly assertionResults: readonly { status: string }[] }[]
}

/** Tests in a folder; all of them unless some are included. */
interface Project {
  readonly name: string
  readonly root: string
  readonly include?: readonly string[]
}

/** Runs the tests of several folders at once; returns the states of their tests by name, and what was printed. */
function runTests(projects: readonly Project[]) {
  const place = built.emptyFolder()
  const settings = projects.map(({ root, ...test }) => ({ root, test: { ...test, isolate: false } }))
  writeFileSync(join(place, 'vitest.config.mjs'), `export default { test: { projects: ${JSON.stringify(settings)} } }`)
  const output = run(place, 'vitest', 'run', '--reporter=default', '--reporter=json', '--outputFile=results.json')
  const { testResults } = readJson(place, 'results.json') as unknown as Results
  const states: Record<string, readonly string[]> = {}
  for (const { name, root } of projects) {
    const own = testResults.filter((file) => file.name.startsWith(`${root}/`))
    states[name] = own.flatMap((file) => file.assertionResults.map(({ status }) => status))
  }
  return { output, states }
}
