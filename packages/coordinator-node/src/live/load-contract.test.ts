import { execFile } from 'node:child_process'
import { mkdtempSync, realpathSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { afterAll, describe, expect, test } from 'vitest'

interface Outcome {
  readonly code?: string
  readonly message?: string
  readonly cause?: string | null
  readonly contract?: { readonly [group: string]: unknown }
  readonly built?: unknown
  readonly score?: unknown
  readonly output?: unknown
  readonly sources?: unknown
  readonly value?: unknown
  readonly places?: unknown
}

const probe = fileURLToPath(new URL('../../test/load-contract-probe.mjs', import.meta.url))
const packageFolder = fileURLToPath(new URL('../..', import.meta.url))
const sample = JSON.stringify(fileURLToPath(new URL('../../test/sample-definition.ts', import.meta.url)))
const folder = realpathSync(mkdtempSync(join(tmpdir(), 'load-contract-')))
afterAll(() => rmSync(folder, { recursive: true }))

function write(name: string, text: string): string {
  writeFileSync(join(folder, name), text)
  return join(folder, name)
}

/** Loads a contract in its own process, as a node does, with optional settings. */
async function load(path: string, env?: Record<string, string>): Promise<Outcome> {
  const settings = env === undefined ? [] : [JSON.stringify(env)]
  const { stdout } = await promisify(execFile)(process.execPath, [probe, path, ...settings], {
    cwd: packageFolder,
    timeout: 30_000,
  })
  return JSON.parse(stdout)
}

const good = write('good.ts', `import { sampleContract } from ${sample}\nexport default sampleContract\n`)
const parts = write(
  'parts.ts',
  `export const score = ({ output }: { output: { value: number } }) => ({ value: output.value, hit: false })
export const stub = () => ({ value: 0, hit: false })
export const build = ({ subject }: { subject: string }) => ({ subject, closes: [42] })
export const clamp = ({ value }: { value: number }) => ({ value: value / 2 })
export const refuse = () => { throw new Error('too sure of itself') }
export const source = () => ({ isOurs: true })
export const median = ({ scores }: { scores: { value: number }[] }) => scores.map(({ value }) => value).sort((a, b) => a - b)[scores.length >> 1]
export const byId = ({ models }: { models: { modelId: string }[] }) => models.map(({ modelId }) => modelId)
export const number = 7
`,
)

describe('a contract file', () => {
  test('is loaded unchanged', async () => {
    const { contract, output } = await load(good)
    expect(contract).toMatchObject({ name: 'next-move', checkpoint: { every: '30m' } })
    expect(output).toEqual({ value: 0.5 })
  })

  test('that throws is reported with its own error and stack, with file and line', async () => {
    const path = write('throws.ts', "const weights: number[] | undefined = undefined\n\nfunction first() {\n  return weights!.length\n}\nexport default first()\n") // biome-ignore format: one file
    const { code, message, cause } = await load(path)
    expect(code).toBe('CONTRACT_NOT_LOADED')
    expect(message).toContain(`${path} could not be loaded:`)
    expect(message).toContain("Cannot read properties of undefined (reading 'length')")
    expect(message).toMatch(/throws\.ts:4:\d+/)
    expect(message).toMatch(/throws\.ts:6:\d+/)
    expect(cause).toContain('ModuleLoadError')
  })

  test('that is not TypeScript, has a missing import or does not exist is reported as such', async () => {
    const syntax = write('syntax.ts', 'export default {\n  name: = 1\n}\n')
    const missing = write('missing.ts', "import 'not-installed-anywhere'\nexport default {}\n")
    const [broken, absent, nowhere] = await Promise.all([load(syntax), load(missing), load(join(folder, 'no.ts'))])
    expect([broken, absent, nowhere].map(({ code }) => code)).toEqual(Array(3).fill('CONTRACT_NOT_LOADED'))
    expect(broken.message).toMatch(/syntax\.ts:2:\d+: /)
    expect(absent.message).toContain('not-installed-anywhere')
    expect(nowhere.message).toContain('does not exist')
  })

  test('without a default export is reported with the code to write', async () => {
    const path = write('named.ts', 'export const contract = {}\n')
    expect(await load(path)).toMatchObject({
      code: 'CONTRACT_NOT_LOADED',
      message: `${path} has no default export: write export default defineContract({ ... })`,
    })
  })

  test('that is invalid is reported with all findings', async () => {
    const path = write(
      'wrong.ts',
      `import { changedContract } from ${sample}
export default changedContract({ name: 'next move', leaderboard: { rankBy: 'recnt' }, checkpoint: { every: '25m' } })\n`,
    )
    const { code, message } = await load(path)
    expect(code).toBe('CONTRACT_INVALID')
    expect(message?.split('\n').map((line) => line.split(':')[0])).toEqual([
      `${path} is not a valid contract`,
      '  - name',
      '  - leaderboard.rankBy',
      '  - checkpoint.every',
    ])
  })
})

describe('settings', () => {
  test('without overrides leave the contract as it is', async () => {
    const { contract } = await load(good, {})
    expect(contract).toMatchObject({ feed: [{ source: 'binance', granularity: '1m' }], checkpoint: { every: '30m' } })
  })

  test('replace the dimensions of the feed and the length of checkpoints', async () => {
    const env = { FEED_SOURCE: 'pyth', FEED_SUBJECTS: 'BTCUSDT', FEED_KIND: 'tick', FEED_GRANULARITY: '30s' }
    const { contract } = await load(good, { ...env, CHECKPOINT_INTERVAL_SECONDS: '3600' })
    expect(contract).toMatchObject({
      feed: [{ source: 'pyth', subjects: ['BTCUSDT'], kind: 'tick', granularity: '30s' }],
      checkpoint: { every: '3600s', emission: { name: 'tiers' } },
    })
  })

  test('replace the functions that they name', async () => {
    // As a path relative to the contract's folder, regardless of the working directory, or an absolute one.
    const { built, score, output, sources, value, places } = await load(good, {
      SCORING_FUNCTION: 'parts.ts#score',
      INFERENCE_INPUT_BUILDER: './parts.ts#build',
      INFERENCE_OUTPUT_VALIDATOR: `${parts}#clamp`,
      FEED_SOURCE_MODULE: 'parts.ts#source',
      MODEL_SCORE_AGGREGATOR: 'parts.ts#median',
      LEADERBOARD_RANKER: 'parts.ts#byId',
    })
    expect(sources).toEqual([{ isOurs: true }])
    expect(built).toEqual({ subject: 'BTCUSDT', closes: [42] })
    expect(score).toEqual({ value: 0.5, hit: false })
    expect(output).toEqual({ value: 0.25 })
    expect([value, places]).toEqual([2, ['a', 'b']])
  })

  test('that make the contract invalid are reported as the cause', async () => {
    const [subject, interval, timeout, stub] = await Promise.all([
      load(good, { FEED_SUBJECTS: 'ETHUSDT' }),
      load(good, { CHECKPOINT_INTERVAL_SECONDS: '1000' }),
      load(good, { MODEL_RUNNER_TIMEOUT_SECONDS: '300' }),
      load(good, { SCORING_FUNCTION: `${parts}#stub` }),
    ])
    expect([subject, interval, timeout, stub].map(({ code }) => code)).toEqual(Array(4).fill('CONTRACT_INVALID'))
    expect(subject.message).toContain(`${good} with the settings of this node is not a valid contract`)
    expect(subject.message).toContain('no feed has "BTCUSDT"')
    expect(interval.message).toContain('checkpoint.every: 1000s is not a whole number of snapshot periods')
    expect(timeout.message).toContain('prediction.timeout: 5m reaches the horizon of 5m')
    expect(stub.message).toContain('looks like a stub')
  })

  test('that name a missing function, or one that does not fit, are refused', async () => {
    const [absent, noFunction, noFile, ranker] = await Promise.all([
      load(good, { SCORING_FUNCTION: `${parts}#scores` }),
      load(good, { INFERENCE_INPUT_BUILDER: `${parts}#number` }),
      load(good, { INFERENCE_OUTPUT_VALIDATOR: 'nowhere.ts#check' }),
      load(good, { LEADERBOARD_RANKER: 'parts.ts#refuse' }),
    ])
    expect(absent).toMatchObject({ code: 'SETTINGS_INVALID', message: expect.stringContaining('SCORING_FUNCTION: ') })
    expect(absent.message).toContain('exports no function "scores"')
    expect(noFunction.message).toContain('INFERENCE_INPUT_BUILDER: ')
    expect(noFile).toMatchObject({ code: 'CONTRACT_NOT_LOADED', message: expect.stringContaining('nowhere.ts') })
    expect(noFile.message).toContain(`INFERENCE_OUTPUT_VALIDATOR: ${join(folder, 'nowhere.ts')} could not be loaded`)
    expect(ranker).toMatchObject({ code: 'CONTRACT_INVALID' })
    expect(ranker.message).toMatch(/leaderboard\.rank: failed at load-contract-\w+\/parts\.ts:5: too sure of itself/)
  })

  test('may name a validator that throws, because it refuses answers, not the contract', async () => {
    const { code, message } = await load(good, { INFERENCE_OUTPUT_VALIDATOR: `${parts}#refuse` }).catch((error) => ({
      code: 'PROBE_THREW',
      message: String(error.stderr),
    }))
    // Here the probe's own safeParse throws, after the start-up check has passed.
    expect([code, message]).toEqual([
      'PROBE_THREW',
      expect.stringMatching(/too sure of itself[\s\S]*load-contract-probe/),
    ])
  })
})
