import { createHash } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { mkdir, readFile, rm, writeFile } from 'node:fs/promises'
import { basename, join } from 'node:path'
import { whenMissing } from '@crunch/local-processes'
import { CliError } from '../cli-error.ts'
import { embeddedDatabase } from '../embedded-database.ts'
import { archiveDays, isArchiveFolder } from '../engine.ts'
import type { Workspace } from '../workspace.ts'
import type { ReplayPlan } from './deployment-plan.ts'
import { replayDatabaseDirectory } from './workspace-databases.ts'

/**
 * Prepares the replay database: an empty one, or with `resume` that of the last replay.
 * @throws CliError if `resume` is used with other recordings than before: their results would mix.
 */
export async function prepareReplayDatabase(workspace: Workspace, plan: ReplayPlan): Promise<void> {
  const directory = replayDatabaseDirectory(workspace)
  const notePath = join(workspace.stateDirectory, 'replay.json')
  const note = JSON.stringify(await Promise.all(plan.files.map(describeFile)))
  if (plan.resume) {
    const before = await readFile(notePath, 'utf8').catch(whenMissing(undefined))
    if (before === note) return
    throw new CliError({
      place: directory,
      cause: before === undefined ? 'there is no replay to resume' : 'it contains a replay of another recording',
      fix: 'omit --resume to start a new replay, or name the recordings of the last one',
    })
  }
  // The note is removed first: after a crash during this preparation, the replay cannot be resumed and starts over.
  await rm(notePath, { force: true })
  await embeddedDatabase.remove(directory)
  await mkdir(workspace.stateDirectory, { recursive: true })
  await writeFile(notePath, note)
}

async function describeFile(path: string): Promise<readonly string[]> {
  const hash = createHash('sha256')
  for (const file of isArchiveFolder(path) ? await archiveDays(path) : [path]) {
    for await (const bytes of createReadStream(file)) hash.update(bytes as Buffer)
  }
  return [basename(path), hash.digest('hex')]
}
