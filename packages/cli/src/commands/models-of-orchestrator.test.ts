import { mkdir, mkdtemp, realpath, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { type Orchestrator, openOrchestratorKey, startOrchestrator } from '@crunch/model-orchestrator'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { rememberingLog, STAND_IN, until } from '../../../model-orchestrator/test/workspace.ts'
import { runOnTerminal } from '../run-cli.fixture.ts'
import { findWorkspace, modelLogsDirectory, type Workspace } from '../workspace.ts'

const FAILS = "console.error('no such column: close')\nprocess.exit(3)"

let root: string
let workspace: Workspace
let orchestrator: Orchestrator

beforeEach(async () => {
  root = await realpath(await mkdtemp(join(tmpdir(), 'crunch-models-live-')))
  await write('node/contract.ts', '')
  workspace = findWorkspace(root)
  await write(workspace.modelsFile, 'models: []\n')
  orchestrator = await startOrchestrator({
    crunchId: 'starter-challenge',
    modelsFile: workspace.modelsFile,
    submissionsDirectory: workspace.submissionsDirectory,
    logsDirectory: modelLogsDirectory(workspace),
    baseClassName: 'tracker.TrackerBase',
    runnerCommand: STAND_IN,
    // One model reads a file outside of its submission, which models in namespaces cannot see.
    confinement: { namespaces: 'off' },
    port: 0,
    http: { port: 0 },
    apiKey: openOrchestratorKey(modelLogsDirectory(workspace)),
    pollMs: 50,
    restart: { initialDelayMs: 10, maxDelayMs: 20, maxQuickFailures: 2 },
    log: rememberingLog(),
  })
})

afterEach(async () => {
  await orchestrator.close()
  await rm(root, { recursive: true, force: true, maxRetries: 5 })
})

async function write(path: string, text: string): Promise<void> {
  const absolute = join(path.startsWith(root) ? '' : root, path)
  await mkdir(dirname(absolute), { recursive: true })
  await writeFile(absolute, text)
}

async function crunch(...argv: readonly string[]) {
  const env = { REPORT_API_PORT: '1', MODEL_ORCHESTRATOR_HTTP_PORT: String(orchestrator.httpPort) }
  return runOnTerminal(['models', ...argv], { cwd: root, env })
}

const model = (id: string) => orchestrator.models().find((candidate) => candidate.id === id)

describe('with an orchestrator', () => {
  it('does not reuse the id of a removed model for the next one, of any cruncher', async () => {
    await write('mine/main.mjs', 'export {}')
    expect((await crunch('add', 'mine', '--cruncher', 'ann')).out).toContain('Model 1 (mine) of ann was added')
    expect((await crunch('remove', '1', '--yes')).exitCode).toBe(0)
    expect((await crunch('add', 'mine', '--cruncher', 'eve')).out).toContain('Model 2 (mine) of eve was added')
  })

  it('waits until an added model serves, and lists it', async () => {
    await write('mine/main.mjs', 'export {}')
    const added = await crunch('add', 'mine')
    expect(added).toMatchObject({ exitCode: 0, out: expect.stringMatching(/It serves \(javascript, 1_\d{8}_/) })
    expect(model('1')?.state).toBe('RUNNING')
    expect((await crunch()).out).toMatch(/│ 1 +│ mine +│ javascript +│ RUNNING +│ 0 /)
  })

  it('reports a failing model with its reason and the end of its log', async () => {
    await write('mine/main.mjs', FAILS)
    const { exitCode, out, err } = await crunch('add', 'mine')
    expect(exitCode).toBe(1)
    expect(out).toContain('Model 1 (mine)')
    expect(err).toMatch(/error: model 1: it failed with RUN_FAILED: exited with code 3/)
    expect(err).toMatch(/all: crunch models logs 1\):\n[\s\S]*model +err no such column: close/)
    await until('quarantine', () => model('1')?.quarantined)
    expect((await crunch()).out).toMatch(/│ QUARANTINED +│ 1 +│ +│ +│ +│ RUN_FAILED: exited with code 3/)
  })

  it('keeps the old code when new code fails, and replaces it when new code serves', async () => {
    await write('mine/main.mjs', 'export {}')
    await crunch('add', 'mine')
    const first = model('1')?.deploymentId
    await write('mine/main.mjs', FAILS)
    expect((await crunch('add', 'mine', '--replace')).err).toContain('no such column')
    expect(model('1')).toMatchObject({ state: 'RUNNING', deploymentId: first })
    await write('mine/main.mjs', 'export {} // corrected')
    expect((await crunch('add', 'mine', '--replace')).out).toContain('It serves')
    expect(model('1')?.deploymentId).not.toBe(first)
  })

  it('restarts a quarantined model, and leaves a running one alone', async () => {
    const done = join(root, 'mended')
    await write('mine/main.mjs', `import { existsSync } from 'node:fs'\nif (!existsSync('${done}')) process.exit(1)`)
    await crunch('add', 'mine')
    await until('quarantine', () => model('1')?.quarantined)
    await writeFile(done, '')
    expect(await crunch('start', 'mine')).toMatchObject({ exitCode: 0, out: expect.stringContaining('It serves') })
    expect((await crunch('start', 'mine')).out).toContain('already runs')
    await crunch('stop', 'mine')
    await until('the stop', () => model('1')?.state === 'STOPPED')
    expect((await crunch('start', '1')).out).toContain('It serves')
    await crunch('remove', '1', '--yes')
    await until('the removal', () => model('1') === undefined)
  })

  it('fails when a start takes longer than the wait', async () => {
    await write('mine/main.mjs', 'await new Promise(() => setInterval(() => {}, 1000))')
    const { exitCode, err } = await crunch('add', 'mine', '--wait', '1')
    expect([exitCode, err]).toEqual([1, expect.stringContaining('it does not serve yet: it is RUNNER_INITIALIZING')])
  })
})
