import { execFileSync, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { chmodSync, existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type BuiltPackage, buildPackage, filesOf, readJson, repository } from './built-package.ts'

let built: BuiltPackage
beforeAll(() => {
  built = buildPackage()
})
afterAll(() => built.remove())

interface Manifest {
  readonly dependencies?: Record<string, string>
  readonly devDependencies?: Record<string, string>
}

interface EngineManifest {
  readonly peerDependencies: Record<string, string>
  readonly peerDependenciesMeta: Record<string, { readonly optional?: boolean }>
  readonly devDependencies: Record<string, string>
}

const models = {
  realtime: ['coin', 'flat', 'mean-reversion', 'momentum', 'volatility-scaled'],
  weather: ['climatology', 'overconfident', 'persistence', 'seven-day-mean', 'trend'],
  blank: ['last-value', 'recent-mean'],
}

const recordings = { realtime: undefined, weather: 'weather.csv', blank: 'values.csv' }

describe.each(['realtime', 'weather', 'blank'] as const)('the %s pack', (pack) => {
  let workspace: string
  let output: string
  beforeAll(() => {
    const folder = built.emptyFolder()
    const result = built.run(['my-game', '--pack', pack], { cwd: folder })
    expect(result.errors).toBe('')
    expect(result.code).toBe(0)
    workspace = join(folder, 'my-game')
    output = result.output
  })

  test('has its models, each with a folder and an entry', () => {
    const local = join(workspace, 'node/deployment/model-orchestrator-local')
    expect(readdirSync(join(local, 'data/submissions')).sort()).toEqual(models[pack])
    const entries = readFileSync(join(local, 'config/models.dev.yml'), 'utf8').matchAll(/submission_id: (.*)/g)
    expect([...entries].map((entry) => entry[1]).sort()).toEqual(models[pack])
    const examples = readdirSync(join(workspace, 'challenge/src/examples'))
    for (const model of models[pack]) expect(examples).toContain(`${model}.ts`)
    const inPython = join(workspace, 'challenge/python/examples')
    expect(readdirSync(inPython).sort()).toEqual(models[pack])
    for (const model of models[pack]) expect(readdirSync(join(inPython, model))).toEqual(['main.py'])
  })

  test('replaces the name of the template everywhere', () => {
    for (const file of filesOf(workspace)) {
      expect(file).not.toContain('crunch-template')
      expect(readFileSync(join(workspace, file), 'utf8'), file).not.toMatch(/crunch-template|workspace:/)
    }
    expect(readJson(workspace, 'package.json')).toMatchObject({ name: 'my-game', private: true })
    expect(readJson(workspace, 'node/package.json')).toMatchObject({ name: 'my-game-node' })
    expect(readJson(workspace, 'challenge/package.json')).toMatchObject({ name: 'my-game-challenge' })
    expect(readFileSync(join(workspace, 'node/contract.ts'), 'utf8')).toContain("from 'my-game-challenge'")
    expect(readFileSync(join(workspace, 'node/.env'), 'utf8')).toContain('CRUNCH_ID=my-game\n')
  })

  test('depends on our packages at the version of this program', () => {
    const { version } = readJson(built.folder, 'package.json')
    expect(readJson(workspace, 'node/package.json')).toMatchObject({
      dependencies: { '@crunch/coordinator-node': `^${version}`, 'my-game-challenge': '*' },
      devDependencies: { '@crunch/cli': `^${version}` },
    })
  })

  test('lists the peer dependencies of our packages beside them, at the tested version', () => {
    const engine = readJson(repository, 'packages/coordinator-node/package.json') as unknown as EngineManifest
    const peers = Object.keys(engine.peerDependencies).filter((name) => !engine.peerDependenciesMeta[name]?.optional)
    expect(peers).toEqual(['zod'])
    for (const member of ['.', 'node', 'challenge']) {
      const { dependencies, devDependencies } = readJson(workspace, join(member, 'package.json')) as Manifest
      const listed = { ...dependencies, ...devDependencies }
      expect(Object.keys(listed).some((name) => name.startsWith('@crunch/'))).toBe(true)
      for (const peer of peers) expect(listed[peer], `${peer} in ${member}`).toBe(engine.devDependencies[peer])
    }
  })

  test('has the dotfiles under their real names, and no files of the packaging', () => {
    const names = filesOf(workspace).map((file) => file.slice(file.lastIndexOf('/') + 1))
    expect(existsSync(join(workspace, '.gitignore'))).toBe(true)
    expect(existsSync(join(workspace, 'node/.local.env.example'))).toBe(true)
    // The file name is prescribed by Python.
    const stored = names.filter((name) => name.startsWith('_') && name !== '__init__.py')
    expect([...stored, ...names.filter((name) => name === 'pack.json')]).toEqual([])
  })

  test('prints the next commands', () => {
    const recording = recordings[pack]
    const replay = recording === undefined ? '' : ` -- --replay node/recordings/${recording}`
    expect(output).toContain(`\n  cd my-game\n  npm install\n  npm test\n  npm run deploy${replay}\n`)
  })

  test("runs crunch in the user's working directory, so that relative file names work", () => {
    const { scripts } = readJson(workspace, 'package.json') as { scripts: Record<string, string> }
    for (const command of ['deploy', 'logs', 'restart', 'down', 'status', 'check']) {
      expect(scripts[command]).toBe(`crunch ${command}`)
    }
    const recording = recordings[pack]
    if (recording !== undefined) expect(existsSync(join(workspace, 'node/recordings', recording))).toBe(true)
  })
})

/** CI installs make and must not skip this test. */
const lacksMake = process.env.CI !== 'true' && spawnSync('make', ['--version']).error !== undefined

test.skipIf(lacksMake)('make alone prints help, and its targets run crunch', () => {
  const folder = built.emptyFolder()
  built.run(['my-game', '--yes', '--directory', folder])
  const make = (...args: string[]) => execFileSync('make', args, { cwd: folder, encoding: 'utf8' })
  for (const target of ['deploy', 'deploy dev', 'logs', 'status', 'restart', 'down', 'check', 'test']) {
    expect(make()).toMatch(new RegExp(`^make ${target} `, 'm'))
  }
  expect(make('-n', 'deploy', 'dev')).toMatch(/^npm run deploy -- dev\s*$/m)
  expect(make('-n', 'deploy', 'ARGS=--once')).toMatch(/^npm run deploy -- +--once$/m)
  expect(make('-n', 'logs', 'SERVICES=score predict', 'ARGS=-f')).toBe('npm run logs -- score predict -f\n')
  expect(make('-n', 'status')).toMatch(/^npm run status -- *$/m)
  expect(() => make('-s', 'dev')).toThrow('Type: make deploy dev')
})

test('has only comments in its example of settings, so that a copy changes nothing', () => {
  const folder = built.emptyFolder()
  built.run(['my-game', '--yes', '--directory', folder])
  const lines = readFileSync(join(folder, 'node/.local.env.example'), 'utf8').split('\n')
  expect(lines.filter((line) => line !== '' && !line.startsWith('#'))).toEqual([])
  expect(lines.filter((line) => /^#[A-Z_]+=/.test(line)).length).toBeGreaterThan(20)
})

test('--yes creates the realtime pack in an existing empty folder', () => {
  const folder = built.emptyFolder()
  expect(built.run(['my-game', '--yes', '--directory', folder]).code).toBe(0)
  expect(readFileSync(join(folder, 'node/contract.ts'), 'utf8')).toContain('BTCUSDT')
})

test('a workspace for pnpm links its own members', () => {
  const folder = built.emptyFolder()
  expect(built.run(['my-game', '--yes', '--directory', folder, '--package-manager', 'pnpm']).code).toBe(0)
  expect(readFileSync(join(folder, 'pnpm-workspace.yaml'), 'utf8')).toBe('packages:\n  - node\n  - challenge\n')
  expect(readJson(folder, 'node/package.json')).toMatchObject({ dependencies: { 'my-game-challenge': 'workspace:*' } })
})

describe('refuses, before it creates any file:', () => {
  test.each([
    ['My-Game', 'capital letters'],
    ['my_game', 'only a to z'],
    ['@me/game', 'only a to z'],
    ['../My.Game', 'create-crunch my-game --directory "../My.Game"'],
    ['1game', 'begin with a letter'],
    ['game-', 'end with a hyphen'],
    ['a'.repeat(41), 'at most 40'],
    ['', 'it is empty'],
  ])('the name "%s"', (name, reason) => {
    const folder = built.emptyFolder()
    const result = built.run([name, '--yes'], { cwd: folder })
    expect(result.code).toBe(1)
    expect(result.errors).toContain(reason)
    expect(readdirSync(folder)).toEqual([])
  })

  test.each([
    [['my-game', '--pack', 'poker'], 'There is no pack "poker": --pack takes one of realtime, blank, weather.'],
    [['my-game', '--yes', '--package-manager', 'bun'], '--package-manager takes npm or pnpm, not "bun".'],
    [['my-game'], '--pack realtime|blank|weather'],
    [['--pack', 'weather'], 'the name: create-crunch my-challenge'],
    [['my-game', '--yes', '--local-packages', '.'], 'contains no crunch-*.tgz'],
    [['my-game', '--yes', '--local-packages', 'nowhere'], 'cannot be read'],
    [['my-game', '--yes', '--colour'], "unknown option '--colour'"],
  ])('%j', (args, reason) => {
    const folder = built.emptyFolder()
    const result = built.run(args, { cwd: folder })
    expect(result.code).toBe(1)
    expect(result.errors).toContain(reason)
    expect(readdirSync(folder)).toEqual([])
  })

  test('a folder that is not empty, and leaves it unchanged', () => {
    const folder = built.emptyFolder()
    mkdirSync(join(folder, 'my-game'))
    writeFileSync(join(folder, 'my-game/notes.txt'), 'mine')
    const result = built.run(['my-game', '--yes'], { cwd: folder })
    expect(result.code).toBe(1)
    expect(result.errors).toMatch(/is not empty \(it contains notes\.txt\): choose another folder with --directory/)
    expect(filesOf(folder)).toEqual(['my-game/notes.txt'])
  })

  test('a file with the name of the folder', () => {
    const folder = built.emptyFolder()
    writeFileSync(join(folder, 'my-game'), 'mine')
    const result = built.run(['my-game', '--yes'], { cwd: folder })
    expect(result.code).toBe(1)
    expect(result.errors).toContain('is a file')
    expect(readFileSync(join(folder, 'my-game'), 'utf8')).toBe('mine')
  })
})

describe('when the installation fails', () => {
  /** A PATH on which `npm` is this shell script. */
  function pathWithNpm(script: string): string {
    const folder = built.emptyFolder()
    writeFileSync(join(folder, 'npm'), `#!/bin/sh\n${script}\n`)
    chmodSync(join(folder, 'npm'), 0o755)
    return `${folder}:${process.env.PATH}`
  }
  const failingNpm = () => pathWithNpm('mkdir node_modules && touch node_modules/half package-lock.json && exit 7')

  test('removes the folder and the parents that it created', () => {
    const folder = built.emptyFolder()
    const args = ['my-game', '--yes', '--install', '--directory', 'some/where/deep']
    const result = built.run(args, { cwd: folder, path: failingNpm() })
    expect(result.code).toBe(1)
    expect(result.errors).toContain('"npm install" failed (exit code 7)')
    expect(result.errors).toContain('has been removed')
    expect(readdirSync(folder)).toEqual([])
  })

  test('keeps an existing empty folder and the files beside it', () => {
    const folder = built.emptyFolder()
    mkdirSync(join(folder, 'target'))
    writeFileSync(join(folder, 'beside.txt'), 'mine')
    const args = ['my-game', '--yes', '--install', '--directory', 'target']
    expect(built.run(args, { cwd: folder, path: failingNpm() }).code).toBe(1)
    expect(readdirSync(folder).sort()).toEqual(['beside.txt', 'target'])
    expect(readdirSync(join(folder, 'target'))).toEqual([])
  })

  test('reports a missing package manager', () => {
    const folder = built.emptyFolder()
    const args = ['my-game', '--yes', '--install', '--package-manager', 'pnpm']
    const result = built.run(args, { cwd: folder, path: built.emptyFolder() })
    expect(result.errors).toContain('pnpm cannot be started')
    expect(readdirSync(folder)).toEqual([])
  })

  test('stops the installation and removes the created files on an interrupt', async () => {
    const folder = built.emptyFolder()
    const path = pathWithNpm('echo installing && exec sleep 60')
    const child = built.start(['my-game', '--yes', '--install'], { cwd: folder, path })
    const ended = once(child, 'close')
    for await (const text of child.stdout!) if (String(text).includes('installing')) break
    expect(existsSync(join(folder, 'my-game/package.json'))).toBe(true)
    const errors: string[] = []
    child.stderr!.on('data', (text) => errors.push(String(text)))
    child.kill('SIGTERM')
    expect((await ended)[0]).toBe(1)
    expect(errors.join('')).toContain('Interrupted.')
    expect(readdirSync(folder)).toEqual([])
  })
})

describe('--local-packages', () => {
  const names = ['cli', 'coordinator-node', 'model-orchestrator', 'model-protocol', 'model-runner']

  test('links every package of ours to its tarball, including indirect dependencies', () => {
    const tarballs = built.emptyFolder()
    for (const name of names) writeFileSync(join(tarballs, `crunch-${name}-0.1.0.tgz`), '')
    const folder = built.emptyFolder()
    const result = built.run(['my-game', '--yes', '--directory', folder, '--local-packages', tarballs])
    expect(result.errors).toBe('')
    const tarball = (name: string) => `file:${join(tarballs, `crunch-${name}-0.1.0.tgz`)}`
    expect(readJson(folder, 'package.json')).toMatchObject({
      devDependencies: Object.fromEntries(names.map((name) => [`@crunch/${name}`, tarball(name)])),
    })
    expect(readJson(folder, 'challenge/package.json')).toMatchObject({
      dependencies: { '@crunch/coordinator-node': tarball('coordinator-node') },
    })
  })

  test('is in the help', () => {
    expect(built.run(['--help']).output).toContain('--local-packages <folder>')
  })

  test('refuses a folder that lacks a tarball or has two versions of one', () => {
    const tarballs = built.emptyFolder()
    writeFileSync(join(tarballs, 'crunch-cli-0.1.0.tgz'), '')
    const args = ['my-game', '--yes', '--local-packages', tarballs]
    const folder = built.emptyFolder()
    expect(built.run(args, { cwd: folder }).errors).toContain('contains no tarball of @crunch/coordinator-node')
    writeFileSync(join(tarballs, 'crunch-cli-0.2.0.tgz'), '')
    expect(built.run(args, { cwd: folder }).errors).toContain('more than one version of @crunch/cli')
    expect(readdirSync(folder)).toEqual([])
  })
})

test('the published package contains every template file', () => {
  const answer = execFileSync('npm', ['pack', '--dry-run', '--json', '--ignore-scripts'], {
    cwd: built.folder,
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'ignore'],
  })
  const [packed] = Object.values(JSON.parse(answer) as Record<string, { files: { path: string }[] }>)
  const packedFiles = packed!.files.map((file) => file.path).filter((path) => path.startsWith('templates/'))
  const templates = filesOf(join(built.folder, 'templates')).map((file) => `templates/${file}`)
  expect(packedFiles.sort()).toEqual(templates)
  expect(templates.length).toBeGreaterThan(50)
})
