import { readdirSync, statSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { systemErrorCode } from '@crunch/local-processes'
import { CliError } from '../cli-error.ts'
import { isArchiveFolder } from '../engine.ts'
import type { Workspace } from '../workspace.ts'

/** What `crunch deploy` was asked for. */
export interface DeployRequest {
  /** Absent: live. Empty: the recordings of the workspace. */
  readonly replay?: readonly string[]
  /** How many times faster than real time, or as fast as the pipeline takes it. */
  readonly speed?: number | 'max'
  /** Goes on with the database of the last replay instead of a new one. */
  readonly resume: boolean
  /** Ends by itself after the first checkpoint. */
  readonly once: boolean
  /** Only what workers need: the database and the models. */
  readonly dev?: boolean
}

/** The recordings that are replayed, as absolute paths. */
export interface ReplayPlan {
  readonly files: readonly string[]
  readonly speed: number | 'max' | undefined
  readonly resume: boolean
}

const recordingEndings = ['.csv', '.csv.gz', '.ndjson', '.ndjson.gz', '.jsonl', '.jsonl.gz', '.parquet', '.zip']

/**
 * Which recordings a request means; undefined for a live deployment.
 * @throws CliError for a combination that means nothing and for a recording that is not there.
 */
export function planReplay(request: DeployRequest, workspace: Workspace, directory: string): ReplayPlan | undefined {
  if (request.replay === undefined) {
    const needing = [
      request.speed !== undefined && '--speed',
      request.resume && '--resume',
      request.once && '--once',
    ].filter((flag) => flag !== false)
    if (needing.length === 0) return undefined
    throw new CliError({
      place: `crunch deploy ${needing.join(' ')}`,
      cause: 'this option only applies to a replay',
      fix: 'add --replay, or remove the option',
    })
  }
  if (request.dev === true) {
    throw new CliError({
      place: 'crunch deploy dev --replay',
      cause: 'deploy dev starts no workers, so nothing would replay the files',
      fix: 'remove --replay, and give the worker feed-data FEED_REPLAY_FILES=FILE in its environment',
    })
  }
  const files =
    request.replay.length > 0
      ? request.replay.map((file) => resolve(directory, file))
      : findRecordings(workspace, 'name one: crunch deploy --replay FILE')
  for (const file of files) requireFile(file)
  // A run that ends by itself should not be waited for longer than the work takes.
  return { files, speed: request.speed ?? (request.once ? 'max' : undefined), resume: request.resume }
}

/**
 * The recordings of a workspace, as absolute paths in order of name.
 * @throws CliError when there is none; `fix` says how to name one.
 */
export function findRecordings(workspace: Workspace, fix: string): readonly string[] {
  const directory = workspace.recordingsDirectory
  let names: readonly string[] = []
  try {
    names = readdirSync(directory)
  } catch (error) {
    if (systemErrorCode(error) !== 'ENOENT') throw error
  }
  const files = names.filter((name) => recordingEndings.some((ending) => name.endsWith(ending))).sort()
  if (files.length > 0) return files.map((name) => join(directory, name))
  throw new CliError({
    place: directory,
    cause: `holds no recording (${recordingEndings.join(', ')})`,
    fix,
  })
}

/** @throws CliError when there is no such recording: a file, or a folder of the archive. */
export function requireFile(path: string): void {
  const found = statSync(path, { throwIfNoEntry: false })
  const isRecording = found?.isFile() || (found?.isDirectory() && isArchiveFolder(path))
  if (isRecording && !path.includes(',')) return
  if (isRecording) {
    const cause = 'its path has a comma, which separates recordings from each other'
    throw new CliError({ place: path, cause, fix: 'rename the file or its folder' })
  }
  throw new CliError({
    place: path,
    cause: found === undefined ? 'there is no such file' : 'this is not a file',
    fix: 'name a recording (CSV, NDJSON or Parquet) by its path from the current folder',
  })
}

/** The speed at which about four rounds a second open, so that one can watch; `roundsPerMs` of recorded time. */
export function watchableSpeed(roundsPerMs: number): number {
  const roundsPerSecond = 4
  return Math.max(1, Math.round(roundsPerSecond / (roundsPerMs * 1_000)))
}
