import { readdirSync, statSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { systemErrorCode } from '@crunch/local-processes'
import { CliError } from '../cli-error.ts'
import { isArchiveFolder } from '../engine.ts'
import type { Workspace } from '../workspace.ts'

/** The options of `crunch deploy`. */
export interface DeployRequest {
  /** Absent: a live deployment. Empty: the recordings of the workspace. */
  readonly replay?: readonly string[]
  /** Multiple of real time; `max`: as fast as the pipeline accepts records. */
  readonly speed?: number | 'max'
  /** Continues with the database of the last replay instead of a new one. */
  readonly resume: boolean
  /** Ends the deployment after the first checkpoint. */
  readonly once: boolean
  /** Starts only the database and the models, which workers need. */
  readonly dev?: boolean
}

/** Absolute paths of the recordings to replay. */
export interface ReplayPlan {
  readonly files: readonly string[]
  readonly speed: number | 'max' | undefined
  readonly resume: boolean
}

const recordingEndings = ['.csv', '.csv.gz', '.ndjson', '.ndjson.gz', '.jsonl', '.jsonl.gz', '.parquet', '.zip']

/**
 * The recordings that a request selects; undefined for a live deployment.
 * @throws CliError for contradictory options and for a missing recording.
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
      fix: 'remove --replay, and set FEED_REPLAY_FILES=FILE in the environment of the worker feed-data',
    })
  }
  const files =
    request.replay.length > 0
      ? request.replay.map((file) => resolve(directory, file))
      : findRecordings(workspace, 'name one: crunch deploy --replay FILE')
  for (const file of files) requireFile(file)
  // With `--once`, the result should be available as soon as possible.
  return { files, speed: request.speed ?? (request.once ? 'max' : undefined), resume: request.resume }
}

/**
 * Absolute paths of the workspace's recordings, sorted by name.
 * @throws CliError if there is none; `fix` says how to give one.
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
    cause: `contains no recording (${recordingEndings.join(', ')})`,
    fix,
  })
}

/** @throws CliError if the path is neither a file nor a folder of day files. */
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

/** The speed at which about four rounds open per second, so that a person can follow. `roundsPerMs` is in recorded time. */
export function watchableSpeed(roundsPerMs: number): number {
  const roundsPerSecond = 4
  return Math.max(1, Math.round(roundsPerSecond / (roundsPerMs * 1_000)))
}
