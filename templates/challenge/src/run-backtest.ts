import { existsSync, readdirSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { backtest } from './backtest.ts'
import * as challenge from './index.ts'
import { TrackerBase } from './tracker.ts'

type ModelClass = new () => TrackerBase

/** `npm run backtest --workspace challenge -- [RECORDING ...] [MODEL.ts ...]`: ranks the examples and the given models. */
async function run(paths: readonly string[]): Promise<void> {
  const isCode = (path: string) => /\.[mc]?[jt]s$/.test(path)
  const given = paths.filter((path) => !isCode(path))
  const classes = await findModels(paths.filter(isCode))
  const { leaderboard, counts, digest } = await backtest({
    recordings: given.length > 0 ? given : shippedRecordings(),
    models: Object.fromEntries(Object.entries(classes).map(([name, Model]) => [name, new Model()])),
  })
  const rows = leaderboard?.entries.map(({ rank, modelId, windows, scoreCount }) => {
    const means = Object.entries(windows).map(([name, mean]) => [name, mean === null ? null : Number(mean.toFixed(4))])
    return { rank, model: modelId, ...Object.fromEntries(means), scores: scoreCount }
  })
  if (rows === undefined) console.log('No period of the leaderboard has closed: the recording is too short.')
  else console.table(rows)
  console.log(`${counts.rounds} rounds, of which ${counts.voidRounds} void; digest ${digest}`)
}

/** The example models and the models exported by the given files. */
async function findModels(files: readonly string[]): Promise<Record<string, ModelClass>> {
  const found = modelsOf(challenge)
  for (const file of files) {
    const models = modelsOf((await import(pathToFileURL(file).href)) as object)
    if (Object.keys(models).length === 0) throw new Error(`${file} exports no class that extends TrackerBase`)
    Object.assign(found, models)
  }
  return found
}

function modelsOf(module: object): Record<string, ModelClass> {
  const classes = Object.values(module).filter(
    (value: unknown): value is ModelClass => typeof value === 'function' && value.prototype instanceof TrackerBase,
  )
  return Object.fromEntries(classes.map((Model) => [Model.name, Model]))
}

function shippedRecordings(): string[] {
  const folder = fileURLToPath(new URL('../../node/recordings/', import.meta.url))
  if (existsSync(folder)) return readdirSync(folder, { encoding: 'utf8' }).map((file) => join(folder, file))
  throw new Error('no recording was given: npm run backtest --workspace challenge -- FILE')
}

// npm runs this in the package's folder, but paths are relative to the folder in which npm was called.
const calledFrom = process.env.INIT_CWD ?? process.cwd()

run(process.argv.slice(2).map((path) => resolve(calledFrom, path))).catch((error: unknown) => {
  // The message of an engine error is complete; other errors need their stack.
  console.error(error instanceof Error && 'code' in error ? error.message : error)
  process.exitCode = 1
})
