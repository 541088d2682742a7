import { mkdir, writeFile } from 'node:fs/promises'
import { join, relative } from 'node:path'
import { CliError } from '../cli-error.ts'
import { embeddedDatabase } from '../embedded-database.ts'
import { type WorkerName, workerCommand } from '../engine.ts'
import type { NodeSettings } from '../node-settings.ts'
import type { NodeEnvironment } from '../read-environment.ts'
import type { Workspace } from '../workspace.ts'
import { orchestratorKey } from './services.ts'
import { liveDatabaseDirectory } from './workspace-databases.ts'

/** What determines the environment of workers that the operator starts. */
export interface DevInput {
  readonly workspace: Workspace
  readonly settings: NodeSettings
  readonly environment: NodeEnvironment
}

const workerGroups: readonly (readonly WorkerName[])[] = [['feed-data', 'predict'], ['score', 'checkpoint'], ['report']]

/** Writes the workers' environment, with secrets, for `node --env-file` and IDEs. Returns the command of each worker. */
export async function writeDevEnvironment(input: DevInput): Promise<readonly string[]> {
  const { workspace, settings } = input
  const databaseUrl = settings.databaseUrl ?? (await embeddedDatabase.url(liveDatabaseDirectory(workspace)))
  const path = join(workspace.stateDirectory, 'dev.env')
  await mkdir(workspace.stateDirectory, { recursive: true })
  await writeFile(path, devEnvironment(input, databaseUrl), { mode: 0o600 })
  const file = relative(workspace.nodeDirectory, path)
  return [
    `cd ${workspace.nodeDirectory}`,
    ...workerGroups.map((workers) => `node --env-file=${file} ${workerCommand(workers).args.join(' ')}`),
  ]
}

/** The lines of that file: the settings from the node's files, and those that the deployment sets. */
export function devEnvironment({ workspace, settings, environment }: DevInput, databaseUrl: string): string {
  const { values, places } = environment
  const ofFiles = Object.fromEntries([...places.keys()].map((key) => [key, values[key] ?? '']))
  const decided = {
    DATABASE_URL: databaseUrl,
    ...(settings.apiKey === undefined ? {} : { API_KEY: settings.apiKey }),
    ...orchestratorKey({ workspace, settings }),
    LOG_FORMAT: 'pretty',
  }
  const entries = Object.entries({ ...ofFiles, ...decided }).filter(([key]) => !key.startsWith('POSTGRES_'))
  return entries.map(([key, value]) => `${key}=${quoted(key, value)}\n`).join('')
}

function quoted(key: string, value: string): string {
  const quote = ["'", '"', '`'].find((candidate) => !value.includes(candidate))
  if (quote !== undefined) return `${quote}${value}${quote}`
  const cause = 'its value contains every kind of quote, so that no environment file can hold it'
  throw new CliError({
    place: key,
    cause,
    fix: 'choose another value, or start the workers with it in their environment',
  })
}
