import { mkdirSync, readdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'
import { systemErrorCode } from '@crunch/local-processes'
import { errorText } from '@crunch/local-processes/errors'
import { z } from 'zod'
import { OrchestratorError } from '../errors.ts'

/** Where models that were ever listed have left a trace. */
export interface IdTraces {
  readonly modelsFile: string
  readonly submissionsDirectory?: string
  /** Holds one folder a model, also of those that were removed. */
  readonly logsDirectory?: string | undefined
}

const markSchema = z.strictObject({ highest: z.number().int().nonnegative() })

/**
 * Gives the next free id, and never one that a model had before: the history and the pay of a removed model must not go
 * to another. The highest id ever given is stored in two files, beside the models file and among the submissions; the
 * higher one counts, as do the models that are listed and the logs of those that were. Call it while the models file is
 * locked.
 *
 * Throws `MODELS_FILE_INVALID` when no mark can be kept, or when one that is there cannot be read.
 */
export function takeNextId(traces: IdTraces, listedIds: readonly string[]): string {
  const next = highestKnown(traces, listedIds) + 1
  if (next > Number.MAX_SAFE_INTEGER) throw new OrchestratorError('MODELS_FILE_INVALID', 'no free id is left')
  keepMarks(traces, next)
  return String(next)
}

/** Records all listed ids, even those added by hand, so that none is reused after its removal. */
export function noteIds(traces: IdTraces, listedIds: readonly string[]): void {
  const highest = Math.max(0, ...numbersOf(listedIds))
  if (marksOf(traces).some((path) => (readMark(path) ?? 0) < highest))
    keepMarks(traces, highestKnown(traces, listedIds))
}

function highestKnown(traces: IdTraces, listedIds: readonly string[]): number {
  const marks = marksOf(traces).map((path) => readMark(path) ?? 0)
  const logged = traces.logsDirectory === undefined ? [] : namesIn(traces.logsDirectory)
  return Math.max(0, ...marks, ...numbersOf(listedIds), ...numbersOf(logged))
}

/** The ids that this orchestrator gives are numbers; others are an operator's own. */
function numbersOf(ids: readonly string[]): readonly number[] {
  return ids.flatMap((id) => (/^\d{1,15}$/.test(id) ? [Number(id)] : []))
}

function marksOf({ modelsFile, submissionsDirectory }: IdTraces): readonly string[] {
  const beside = join(dirname(modelsFile), `.${basename(modelsFile)}.ids.json`)
  // Ids of submissions begin with a letter or digit, so none has this name.
  return submissionsDirectory === undefined ? [beside] : [beside, join(submissionsDirectory, '.model-ids.json')]
}

/** `null` where there is none yet. */
function readMark(path: string): number | null {
  try {
    return markSchema.parse(JSON.parse(readFileSync(path, 'utf8'))).highest
  } catch (error) {
    if (systemErrorCode(error) === 'ENOENT') return null
    const fix = 'write {"highest": N} into it, N being the highest id that a model ever had'
    const problem = `${path}: the highest model id cannot be read (${errorText(error)}); ${fix}`
    throw new OrchestratorError('MODELS_FILE_INVALID', problem, { cause: error })
  }
}

function keepMarks(traces: IdTraces, highest: number): void {
  for (const path of marksOf(traces)) {
    try {
      mkdirSync(dirname(path), { recursive: true })
      writeFileSync(`${path}.new`, `${JSON.stringify({ highest })}\n`)
      renameSync(`${path}.new`, path)
    } catch (error) {
      const problem = `${path}: the highest model id cannot be stored (${errorText(error)}); make its folder writable`
      throw new OrchestratorError('MODELS_FILE_INVALID', problem, { cause: error })
    }
  }
}

function namesIn(directory: string): readonly string[] {
  try {
    return readdirSync(directory)
  } catch (error) {
    if (systemErrorCode(error) === 'ENOENT') return []
    throw error
  }
}
