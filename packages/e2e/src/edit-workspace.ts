import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { type Edit, editContract } from './faults/seconds-contract.ts'

const contractPath = 'node/contract.ts'
const modelsPath = 'node/deployment/model-orchestrator-local/config/models.dev.yml'
const recordingPath = 'node/recordings/weather.csv'

/** Changes the contract of a workspace. Throws if a change does not apply. */
export async function changeContract(directory: string, changes: readonly Edit[]): Promise<void> {
  const path = join(directory, contractPath)
  await writeFile(path, editContract(await readFile(path, 'utf8'), changes))
}

/**
 * Shorter windows and checkpoint periods of the weather pack, so that a short recording has several of them and records leave
 * every window.
 */
export const shortWeatherPeriods: readonly Edit[] = [
  [/windows: \{[^}]*\}/, "windows: { recent: '20d', steady: '40d', anchor: '80d' }"],
  [/every: '365d'/, "every: '50d'"],
]

/** Keeps only some of the shipped models: each is a process that starts, and that answers every round. */
export async function keepModels(directory: string, names: readonly string[]): Promise<void> {
  const path = join(directory, modelsPath)
  const [head = '', ...models] = (await readFile(path, 'utf8')).split(/^(?= {2}- id:)/m)
  const kept = models.filter((model) => names.some((name) => model.includes(`submission_id: ${name}\n`)))
  if (kept.length !== names.length) throw new Error(`${path} has ${kept.length} of the models ${names.join(', ')}`)
  await writeFile(path, head + kept.join(''))
}

/** The rows of the weather recording without the header, ordered by day; two cities a day. */
export async function recordedWeather(directory: string, days: number): Promise<readonly string[]> {
  const [, ...rows] = (await readFile(join(directory, recordingPath), 'utf8')).trim().split('\n')
  return rows.slice(0, days * 2)
}

/** Writes rows of the weather recording to a file of a workspace; returns its path. */
export async function writeWeather(directory: string, file: string, rows: readonly string[]): Promise<string> {
  const path = join(directory, 'node', file)
  await writeFile(path, `event_at,known_at,subject,precipitation,temp_max,temp_min,wind\n${rows.join('\n')}\n`)
  return path
}

/** Shortens the recording that a weather workspace replays by default. */
export async function shortenRecording(directory: string, days: number): Promise<string> {
  return writeWeather(directory, 'recordings/weather.csv', await recordedWeather(directory, days))
}
