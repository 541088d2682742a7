import { readdirSync } from 'node:fs'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest'
import type { ModelTestReport } from '../local-model/model-test-report.ts'
import { openWeatherWorkspace, type WeatherWorkspace } from '../local-model/weather-workspace.fixture.ts'

let workspace: WeatherWorkspace

beforeAll(async () => {
  workspace = await openWeatherWorkspace(35)
})

afterAll(() => workspace?.remove())

const tested = (path: string, env?: Record<string, string>) => workspace.run(['models', 'test', path], env)

const model = (body: string) => `
import { TrackerBase } from 'crunch-template-challenge'
export class Tested extends TrackerBase { ${body} }
`

describe('crunch models test', { timeout: 120_000 }, () => {
  it('shows each step of a good model, its input and what a round would record', async () => {
    const path = await workspace.submission(
      'good',
      model(`predict() { console.log('asked'); return { mean: 9, std: 3 } }`),
    )
    const { exitCode, out, err } = await tested(path)
    expect(exitCode, `${out}${err}`).toBe(0)
    expect(out).toMatch(/ok {6}start {2}[\d.]+ ms/)
    expect(out).toMatch(/ok {6}Setup {2}[\d.]+ ms/)
    // The data of a whole input window is known before its first call.
    expect(out).toContain('ok      tick({"days":[{"date":"2012-01-02"')
    expect(out).toMatch(/ok {6}predict\("Seattle", 86400, 86400\) {2}[\d.]+ ms\n +\{"mean":9,"std":3\}/)
    expect(out).toContain('2012-02-01T00:00:00.000Z New York: PENDING  {"mean":9,"std":3}')
    expect(out).toMatch(/It would be scored:\n {2}2012-02-01T00:00:00\.000Z \S.*: valid {2}\{"crps":/)
    expect(out).toContain('The model printed:\n  asked\n')
    expect(out).not.toContain('"event":"ready"')
    expect(out.endsWith('good would be ranked.')).toBe(true)
  })

  it.each<[name: string, main: string, says: readonly (string | RegExp)[]]>([
    [
      'no-class',
      'export const answer = 42',
      [
        'failed  Setup',
        'BAD_IMPLEMENTATION: its main file exports no class that extends TrackerBase; write export class',
      ],
    ],
    [
      'constructor',
      model(`constructor() { super(); throw new Error('cannot begin') } predict() { return null }`),
      ['failed  Setup', 'cannot begin', /at new Tested \(.*constructor\/main\.ts:3:\d+\)/],
    ],
    [
      'throws',
      model(`predict() { throw new Error('no idea') }`),
      ['failed  predict', 'FAILED  model_error', 'no idea', /at Tested\.predict \(.*throws\/main\.ts:3:\d+\)/],
    ],
    [
      'wrong',
      model(`predict() { return { mean: 'hot', std: -1 } }`),
      ['ok      predict', '{"mean":"hot","std":-1}', /FAILED {2}invalid_output: mean: .*; std: /],
    ],
    [
      'slow',
      model(`predict() { return new Promise(() => {}) }`),
      ['absent  predict', 'ABSENT  timeout: the model did not answer within 1000 ms'],
    ],
  ])('reports the problem of the model "%s" with its own stack', async (name, main, says) => {
    const path = await workspace.submission(name, main)
    const { exitCode, out } = await tested(path, { MODEL_RUNNER_TIMEOUT_SECONDS: '1' })
    expect(exitCode, out).toBe(1)
    for (const text of says) {
      if (typeof text === 'string') expect(out).toContain(text)
      else expect(out).toMatch(text)
    }
    expect(out).toContain('would NOT be ranked.')
    expect(out).not.toMatch(/^\s+at .*model-host/m)
  })

  it('names the missing main file of a folder', async () => {
    const { exitCode, out } = await tested(await workspace.submission('empty', 'to do', 'notes.txt'))
    expect(exitCode).toBe(1)
    expect(out).toMatch(/failed {2}start\n +SUBMISSION_REFUSED: .*empty has no main\.ts/)
  })

  it('tests the files that a node would copy from another folder, and reports paths as the author knows them', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'crunch-elsewhere-'))
    onTestFinished(() => rm(folder, { recursive: true }))
    await writeFile(join(folder, 'main.ts'), model('predict() { return { mean: 9, std: 3 } }'))
    expect(await tested(folder)).toMatchObject({ exitCode: 0 })
    await writeFile(join(folder, 'main.ts'), model(`predict() { throw new Error('no idea') }`))
    const { out } = await tested(folder)
    expect(out).toContain(`(${folder}/main.ts:3:`)
    expect(readdirSync(join(workspace.directory, 'node/.crunch'))).toEqual(['environments'])
  })

  it('fails with file and line when the contract cannot score what a good model answers', async () => {
    const other = await openWeatherWorkspace(35)
    onTestFinished(() => other.remove())
    const contract = join(other.directory, 'node/contract.ts')
    const [score, scorer] = [
      'scorePrediction(output, truth.tempMax),',
      '(output.mean === 9 ? output.nothing.at : 0) || ',
    ]
    const text = await readFile(contract, 'utf8')
    await writeFile(contract, text.replace(score, `${scorer}${score}`))
    const path = await other.submission('good', model('predict() { return { mean: 9, std: 3 } }'))
    const { exitCode, out, err } = await other.run(['models', 'test', path])
    expect([exitCode, out]).toEqual([1, expect.stringContaining('good would be ranked.')])
    expect(err).toMatch(/error: score\.compute failed at node\/contract\.ts:\d+: .*reading 'at'/)
  })

  it('gives a model as long to start as the node does', async () => {
    const path = await workspace.submission('hurried', model('predict() { return { mean: 9, std: 3 } }'))
    const { exitCode, out } = await tested(path, { MODEL_START_TIMEOUT_MILLISECONDS: '100' })
    expect([exitCode, out]).toEqual([1, expect.stringMatching(/failed {2}start\n.* within 100 ms/)])
  })

  it("hosts a model within the node's limits", async () => {
    const path = await workspace.submission(
      'huge',
      model(`predict() { this.held = Buffer.alloc(400 * 2 ** 20, 1); return new Promise(() => {}) }`),
    )
    const { out, exitCode } = await tested(path, { MODEL_MEMORY_MEBIBYTES: '256' })
    expect(exitCode).toBe(1)
    expect(out).toContain('ABSENT  not_running')
  })

  it('reports the same as JSON', async () => {
    const { out, exitCode } = await workspace.crunch(['models', 'test', 'models/empty', '--json'])
    const report = JSON.parse(out) as ModelTestReport
    expect(exitCode).toBe(1)
    expect(report).toMatchObject({ isRanked: false, steps: [{ name: 'start', outcome: 'failed' }], recorded: [] })
  })
})
