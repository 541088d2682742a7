import { readFile } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import { expect, it, onTestFinished } from 'vitest'
import { openWeatherWorkspace } from '../local-model/weather-workspace.fixture.ts'

interface PaidModel {
  readonly value: number | null
  readonly answeredCount: number
  readonly dueCount: number
  readonly rewardFrac64: number
}

/** What README.md shows of the first checkpoint of the demo: its id, and a line for each model. */
async function payoutsOfReadme() {
  const readme = await readFile(fileURLToPath(new URL('../../../../README.md', import.meta.url)), 'utf8')
  const [, id] = /^Checkpoint (\S+): /m.exec(readme) ?? []
  const line = /^\S+ {2,}\S+ {2,}([\d.]+) {2,}(\d+) of (\d+) {2,}([\d.]+) % {2,}(\d+)/gm
  return { id, lines: [...readme.matchAll(line)].map(([, ...cells]) => cells.map(Number)) }
}

// A simulation has the same rows as the demo's replay.
it('README.md shows the payouts that the demo computes', async () => {
  const workspace = await openWeatherWorkspace(370)
  onTestFinished(() => workspace.remove())
  const { exitCode, out, err } = await workspace.run(['simulate', '--recording', workspace.recording, '--json'])
  expect(exitCode, err).toBe(0)
  const [first] = JSON.parse(out).checkpoints as readonly { readonly id: string; readonly entries: PaidModel[] }[]
  const lines = first?.entries.map(({ value, answeredCount, dueCount, rewardFrac64 }) => [
    ...[Number(value?.toFixed(4)), answeredCount, dueCount, rewardFrac64 / 10_000_000, rewardFrac64],
  ])
  expect(lines).toHaveLength(5)
  expect({ id: first?.id, lines }).toEqual(await payoutsOfReadme())
})
