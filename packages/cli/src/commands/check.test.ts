import { mkdir, readFile, symlink, writeFile } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { describe, expect, it, onTestFinished } from 'vitest'
import { openWeatherWorkspace, type WeatherWorkspace } from '../local-model/weather-workspace.fixture.ts'
import { summaryOf } from './check.ts'

const require = createRequire(import.meta.url)

/** Creates a workspace with one mistake in its contract, and returns the line of the mistake. Modules are cached, so each mistake needs a new workspace. */
async function openWorkspace(
  find = '',
  replace = '',
): Promise<WeatherWorkspace & { readonly line: number; readonly functionLine: number }> {
  const workspace = await openWeatherWorkspace(25)
  onTestFinished(() => workspace.remove())
  const path = join(workspace.directory, 'node/contract.ts')
  const original = await readFile(path, 'utf8')
  expect(original).toContain(find)
  const changed = original.replace(find, replace)
  await writeFile(path, changed)
  const lineOf = (text: string) => changed.slice(0, changed.indexOf(text)).split('\n').length
  return { ...workspace, line: lineOf(replace), functionLine: lineOf('build: (') }
}

describe('the summary of a check', () => {
  const problem = { place: 'port 8000', cause: 'it is in use', fix: 'end that program' }
  const contract = {
    place: 'contract.ts',
    text: 'contract.ts is not a valid contract:\n  - name: is bad; rename it\n  - feed: is bad; mend it',
  }
  const settings = { place: '.env', text: 'The settings are wrong:\n  - FEED_KND: is unknown; did you mean FEED_KIND?' }
  const database = { place: 'the database', text: 'it cannot be reached' }
  const remarks = [
    'warning: .env:3: X is unused',
    'Rehearsed on weather.csv: 5 rounds.',
    'warning: look-ahead is possible',
  ]

  it.each([
    [[problem], [], '1 finding.'],
    [[contract], [], '2 findings.'],
    [[contract, settings, problem, database], [], '5 findings.'],
    [[contract], remarks, '2 findings and 2 warnings.'],
    [[], remarks, 'Contract, settings, database and models are valid; ports are free; 2 warnings.'],
    [[], [], 'Contract, settings, database and models are valid; ports are free.'],
  ])('counts what is listed: %#', (findings, listed, summary) => {
    expect(summaryOf(findings, listed, false)).toBe(summary)
  })
})

describe('crunch check', { timeout: 120_000 }, () => {
  it('rehearses a valid contract on the recordings, and notes that types are not checked without TypeScript', async () => {
    const { out } = await (await openWorkspace()).run(['check', '--json'])
    const { notes, findings } = JSON.parse(out)
    expect(findings.filter(({ place }: { place: string }) => /contract|recordings/.test(place))).toEqual([])
    expect(notes.join('\n')).toMatch(/the workspace has no TypeScript; add it with: npm install -D typescript/)
    expect(notes.join('\n')).toMatch(/Rehearsed on .*weather\.csv: \d+ rounds and \d+ scores\./)
  })

  it('reports files of the web page that no longer fit the contract, with file and key', async () => {
    const workspace = await openWorkspace("steady: '180d'", "weekly: '7d'")
    const config = join(workspace.directory, 'node/deployment/report-ui/config')
    await writeFile(join(config, 'global-settings.json'), '{')
    const { exitCode, out } = await workspace.run(['check', '--json'])
    expect(exitCode).toBe(1)
    const found = JSON.parse(out).findings.filter(({ place }: { place: string }) => place.startsWith(config))
    expect(found).toEqual([
      {
        place: `${config}/leaderboard-columns.json: 4.property`,
        cause: 'rows of the leaderboard have no field "score_steady"',
        fix: expect.stringContaining('or delete the entry'),
      },
      expect.objectContaining({ place: `${config}/metrics-widgets.json: 0.nativeConfiguration.yAxis.series.1.name` }),
      expect.objectContaining({ place: `${config}/metrics-widgets.json: 1.nativeConfiguration.yAxis.series.1.name` }),
      { place: `${config}/global-settings.json`, cause: 'it is no valid JSON', fix: 'correct it, or delete it' },
    ])
  })

  it('warns of a recording that does not say when its values were known', async () => {
    const workspace = await openWorkspace()
    const recording = join(workspace.directory, 'node/recordings/weather.csv')
    const [header = '', ...rows] = (await readFile(recording, 'utf8')).trim().split('\n')
    const knownAt = header.split(',').indexOf('known_at')
    expect(knownAt).toBeGreaterThan(-1)
    const without = [header, ...rows].map((row) => row.split(',').toSpliced(knownAt, 1).join(','))
    await writeFile(recording, without.join('\n'))
    const { out } = await workspace.run(['check', '--json'])
    expect(JSON.parse(out).notes).toContainEqual(
      expect.stringMatching(/^warning: .*weather\.csv: look-ahead is possible: .* add a column known_at/),
    )
  })

  it('reports a field missing in the records, with file and line, both by rehearsal and by type check', async () => {
    const { line, ...workspace } = await openWorkspace('record.values.temp_max', 'record.values.temperature')
    const modules = join(workspace.directory, 'node_modules')
    await symlink(dirname(require.resolve('typescript/package.json')), join(modules, 'typescript'))
    await mkdir(join(modules, '@types'))
    await symlink(dirname(require.resolve('@types/node/package.json')), join(modules, '@types/node'))
    const { exitCode, out } = await workspace.run(['check', '--json'])
    expect(exitCode).toBe(1)
    const { findings } = JSON.parse(out)
    expect(findings).toContainEqual({
      place: `node/contract.ts:${line}`,
      cause: expect.stringMatching(
        /nothing was predicted.*input\.build at .* returned what input\.schema refuses: days\.0\.tempMax/,
      ),
      fix: expect.any(String),
    })
    expect(findings).toContainEqual({
      place: `${join(workspace.directory, 'node/contract.ts')}:${line}`,
      cause: expect.stringContaining("Property 'temperature' does not exist"),
      fix: expect.any(String),
    })
  })

  it('reports an error in the ranking of the contract with its line, in a check and in a simulation', async () => {
    // Passes the contract check, whose example models have other names, and fails with the models of the weather pack.
    const rank =
      "rank: ({ models }) => models.map(({ modelId }) => (modelId.startsWith('model-') ? modelId : 'unknown')),"
    const { line, ...workspace } = await openWorkspace('newcomers:', `${rank}\n    newcomers:`)
    const { out } = await workspace.run(['check', '--json'])
    const cause = `leaderboard.rank at node/contract.ts:${line} returned the unknown model "unknown"`
    expect(JSON.parse(out).findings).toContainEqual({
      place: `node/contract.ts:${line}`,
      cause: expect.stringContaining(cause),
      fix: expect.any(String),
    })
    const { exitCode, err } = await workspace.run(['simulate', '--recording', workspace.recording])
    expect([exitCode, err]).toEqual([1, expect.stringContaining(`error: ${cause}`)])
    expect(err).not.toContain('    at ')
  })

  it('finds a scorer that accepts only some of the answers that the schema accepts, with its line', async () => {
    const { line, ...workspace } = await openWorkspace(
      '=> scorePrediction(output, truth.tempMax)',
      '=> (output.mean > 0 ? { crps: Number.NaN } : scorePrediction(output, truth.tempMax))',
    )
    const { exitCode, out } = await workspace.run(['check', '--json'])
    expect(exitCode).toBe(1)
    const { findings, notes } = JSON.parse(out)
    expect(findings).toContainEqual({
      place: `node/contract.ts:${line}`,
      cause: expect.stringMatching(/\d+ of \d+ scores failed; the first: score\.compute at .* refuses: crps/),
      fix: expect.any(String),
    })
    expect(notes.join()).not.toContain('scores failed')
  })

  it('has the same mistake in the exit code and last message of a simulation', async () => {
    const { functionLine, ...workspace } = await openWorkspace('record.values.temp_max', 'record.values.temp')
    const { exitCode, err } = await workspace.run(['simulate', '--recording', workspace.recording])
    expect(exitCode).toBe(1)
    expect(err.match(/could not build an input/g)).toHaveLength(1)
    expect(err).toMatch(
      `error: nothing was predicted, since no round opened: input.build at node/contract.ts:${functionLine} returned`,
    )
  })
})
