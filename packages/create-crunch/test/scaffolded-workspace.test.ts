import { spawnSync } from 'node:child_process'
import { mkdirSync, symlinkSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type BuiltPackage, buildPackage, repository } from './built-package.ts'

let built: BuiltPackage
beforeAll(() => {
  built = buildPackage()
})
afterAll(() => built.remove())

/** Gives a workspace the packages that an installation would, from the monorepo. */
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

/** Runs a program of the monorepo in a folder; what it printed, with its exit code as the last line. */
function run(cwd: string, program: string, ...args: readonly string[]): string {
  const bin = join(repository, 'node_modules/.bin', program)
  const env = { ...process.env, NO_COLOR: '1', VITEST: undefined, NODE_ENV: undefined }
  const { stdout, stderr, status } = spawnSync(bin, args, { cwd, encoding: 'utf8', timeout: 100_000, env })
  return `${stdout}${stderr}\nexit ${status}`
}

describe.each(['realtime', 'weather'] as const)('a workspace of the %s pack', (pack) => {
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
    expect(output).toMatch(/Tests +\d+ passed/)
    expect(output).toMatch(/exit 0$/)
  })

  test('loads its contract and its models without a build', () => {
    const local = './deployment/model-orchestrator-local/data/submissions'
    const model = pack === 'weather' ? 'persistence' : 'momentum'
    const script = `
      const { default: contract } = await import('./contract.ts')
      const [Model] = Object.values(await import('${local}/${model}/main.ts'))
      console.log(contract.name, new Model().predict(contract.feed.subjects[0], 60, 60) !== undefined)`
    expect(run(join(workspace, 'node'), 'tsx', '--input-type=module', '--eval', script)).toBe('my-game true\n\nexit 0')
  })
})
