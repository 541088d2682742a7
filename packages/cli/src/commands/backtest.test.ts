import { execFileSync } from 'node:child_process'
import { cp, mkdir, mkdtemp, readFile, realpath, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pythonIsMissing } from '@crunch/python-peers'
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest'
import { openWeatherWorkspace, type WeatherWorkspace } from '../local-model/weather-workspace.fixture.ts'

let workspace: WeatherWorkspace

beforeAll(async () => {
  workspace = await openWeatherWorkspace(25)
})

afterAll(() => workspace?.remove())

const persistence = `export { Persistence } from 'crunch-template-challenge'\n`

/** A folder outside the workspace. */
async function outsideFolder(): Promise<string> {
  const folder = await realpath(await mkdtemp(join(tmpdir(), 'crunch-outside-')))
  onTestFinished(() => rm(folder, { recursive: true }))
  return folder
}

/** A model that runs `body` and then answers correctly; `rounds` counts the calls. */
const faulty = (body: string) => `
import { TrackerBase } from 'crunch-template-challenge'
let rounds = 0
export class Faulty extends TrackerBase {
  predict() {
    rounds += 1
    ${body}
    return { mean: 10, std: 5 }
  }
}
`

describe('crunch backtest', { timeout: 120_000 }, () => {
  it('computes the same scores as an in-process simulation', async () => {
    await workspace.submission('persistence', persistence)
    const [inside, outside] = [join(workspace.directory, 'models'), await outsideFolder()]
    const model = join(outside, 'persistence')
    await cp(join(inside, 'persistence'), model, { recursive: true })
    const simulate = (models: string) =>
      workspace.run(['simulate', '--recording', workspace.recording, '--models', models, '--json'])
    const simulated = await simulate(inside)
    expect(simulated.exitCode, simulated.err).toBe(0)
    // A submission in any folder finds the packages of the workspace.
    expect(await simulate(outside)).toEqual(simulated)
    await mkdir(join(outside, 'broken'))
    await writeFile(join(outside, 'broken/main.ts'), `import 'no-such-package'\n`)
    const broken = await simulate(outside)
    expect([broken.exitCode, broken.err]).toEqual([
      1,
      expect.stringContaining(`Cannot find package 'no-such-package' imported from ${outside}/broken/main.ts`),
    ])
    const { leaderboard, counts } = JSON.parse(simulated.out)
    const tested = await workspace.crunch(['backtest', '--model', model, '--json'])
    expect(tested.exitCode, tested.err).toBe(0)
    const report = JSON.parse(tested.out)
    expect(report.leaderboard).toHaveLength(1)
    expect(report.leaderboard[0]).toMatchObject({
      isBacktested: true,
      windows: leaderboard.entries[0].windows,
      metrics: leaderboard.entries[0].metrics,
      coverage: 1,
    })
    expect(report).toMatchObject({
      rounds: counts.rounds,
      records: 50,
      counts: { SCORED: 48, PENDING: 2 },
      failures: [],
    })
  })

  it('ranks a model together with the examples of the workspace, on a part of the recording', async () => {
    const { out, err, exitCode } = await workspace.run([
      ...['backtest', '--model', 'models/persistence', '--examples', '--from', '2012-01-05', '--to', '2012-01-18'],
    ])
    expect(exitCode, err).toBe(0)
    expect(out).toContain('> persistence')
    expect(out).toContain('│ climatology')
    // The same columns as other boards, with the ranking column marked.
    expect(out).toMatch(/rank +│ model +│ cruncher +│ score_recent +│ score_steady +│ score_anchor \(lowest first\) +│/)
    expect(out).toContain('persistence: 26 rounds of 26 records; PENDING 2, SCORED 24')
  })

  it('names refused examples with the reason, like a simulation', async () => {
    const refused = /a model is refused: it is not called and has no rows: .*"climatology"/
    const submissions = join(workspace.directory, 'node/deployment/model-orchestrator-local/data/submissions')
    await mkdir(join(submissions, 'false-baseline'))
    await writeFile(join(submissions, 'false-baseline/main.ts'), persistence)
    const models = join(submissions, '../../config/models.dev.yml')
    const listed = await readFile(models, 'utf8')
    const names = 'model_name: climatology, cruncher_id: stranger, cruncher_name: stranger'
    const entry = `  - { id: "78", submission_id: false-baseline, crunch_id: crunch-template, ${names}, desired_state: RUNNING }\n`
    await writeFile(models, `${listed.trimEnd()}\n${entry}`)
    onTestFinished(() => writeFile(models, listed))
    const simulated = await workspace.run(['simulate', '--recording', workspace.recording, '--json'])
    expect(simulated.exitCode, simulated.err).toBe(0)
    expect(simulated.err.split('\n').filter((line) => refused.test(line))).toEqual([
      expect.stringMatching(/^model 78: a model is refused/),
    ])
    const part = ['--to', '2012-01-08', '--examples']
    const tested = await workspace.run(['backtest', '--model', 'models/persistence', ...part])
    expect(tested.exitCode, tested.err).toBe(0)
    expect(tested.err.split('\n').filter((line) => refused.test(line))).toHaveLength(1)
    const { leaderboard } = JSON.parse(simulated.out)
    expect(leaderboard.entries.map(({ modelId }: { modelId: string }) => modelId)).not.toContain('78')
  })

  it('omits Python models from the examples, with a message', async () => {
    const submissions = join(workspace.directory, 'node/deployment/model-orchestrator-local/data/submissions')
    await mkdir(join(submissions, 'snake'))
    await writeFile(join(submissions, 'snake/main.py'), '')
    const models = join(submissions, '../../config/models.dev.yml')
    const listed = await readFile(models, 'utf8')
    const entry = '  - { id: "77", submission_id: snake, crunch_id: crunch-template, desired_state: RUNNING }\n'
    await writeFile(models, `${listed.trimEnd()}\n${entry}`)
    onTestFinished(() => writeFile(models, listed))
    const part = ['--to', '2012-01-08', '--examples']
    const { out, err, exitCode } = await workspace.run(['backtest', '--model', 'models/persistence', ...part])
    expect(exitCode, err).toBe(0)
    expect(err).toContain('left out, because models in Python do not run in this process: 77 (snake)')
    expect(out).toContain('│ climatology')
  })

  it("reports why rounds failed, waits for a crashed process, and shows the model's own stack", async () => {
    const body = `
      if (rounds === 3) throw new Error('no idea about the third')
      if (rounds === 5) process.exit(7)`
    const model = await workspace.submission('faulty', faulty(body))
    const to = ['--to', '2012-01-08']
    const { out, err, exitCode } = await workspace.run(['backtest', '--model', model, '--json', ...to])
    expect(exitCode, err).toBe(0)
    const report = JSON.parse(out)
    // Two rounds per instant. The third and ninth fail; the crashes in the fifth and, counted anew, the eleventh also lose the
    // other round of their instant. The restart loses no further round.
    expect(report).toMatchObject({
      rounds: 12,
      counts: { 'FAILED model_error': 2, 'ABSENT not_running': 4, SCORED: 6 },
      restarts: 1,
      lastFailure: { code: 'STOP_UNEXPECTED', reason: expect.stringContaining('exited with code 7') },
    })
    expect(report.failures[0]).toMatchObject({
      ...{ subject: 'New York', status: 'FAILED', reason: 'model_error' },
      detail: expect.stringContaining('no idea about the third'),
    })
    expect(report.stderr.join('\n')).toMatch(/no idea about the third[\s\S]*main\.ts:\d+/)
  })

  it('ends for a model that is given up again and again', async () => {
    const main = `import { TrackerBase } from 'crunch-template-challenge'
export class Mute extends TrackerBase {
  predict = undefined as never
}`
    const model = await workspace.submission('mute', main)
    const { out, err, exitCode } = await workspace.run(['backtest', '--model', model, '--json', '--to', '2012-01-08'])
    expect(exitCode, err).toBe(1)
    const report = JSON.parse(out)
    expect(report).toMatchObject({ rounds: 12, lastFailure: { code: 'BAD_IMPLEMENTATION' } })
    expect(report.failure).toMatch(/predict/)
  })
})

const missing = pythonIsMissing()

describe.skipIf(missing !== null)(`crunch backtest of Python${missing ? ` (skipped: ${missing})` : ''}`, () => {
  it('gives the scores of the same model in TypeScript', { timeout: 600_000 }, async () => {
    const python = 'challenge/python/examples/persistence'
    const folder = await workspace.submission('persistence', persistence)
    const [ours, theirs] = [
      await workspace.run(['backtest', '--model', folder, '--json']),
      await workspace.run(['backtest', '--model', python, '--json']),
    ]
    expect(theirs.exitCode, theirs.err).toBe(0)
    const [inTypeScript, inPython] = [JSON.parse(ours.out), JSON.parse(theirs.out)]
    expect(inPython.counts).toEqual(inTypeScript.counts)
    for (const [name, value] of Object.entries(inTypeScript.leaderboard[0].windows)) {
      expect(inPython.leaderboard[0].windows[name]).toBeCloseTo(Number(value), 9)
    }
  })
})

describe('an aborted crunch backtest', { timeout: 120_000 }, () => {
  it('leaves no process of the model behind', async () => {
    const model = await workspace.submission('endless', faulty('for (;;);'))
    const { out, err, exitCode } = await workspace.crunch(['backtest', '--model', model], {
      onErr: (text, kill) => text.includes('setting it up') && kill('SIGINT'),
    })
    expect(exitCode).toBe(1)
    expect(out).toBe('')
    expect(err).toContain('ended before')
    expect(execFileSync('ps', ['-eo', 'args'], { encoding: 'utf8' })).not.toContain(workspace.directory)
  })

  it('explains why a path is not a model', async () => {
    const { err, exitCode } = await workspace.run(['backtest', '--model', 'models/none'])
    expect(exitCode).toBe(1)
    expect(err).toContain('there is no such folder or notebook')
    expect(err).not.toMatch(/^\s+at /m)
  })
})
