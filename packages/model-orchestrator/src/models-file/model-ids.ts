import { mkdirSync, readdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'
import { systemErrorCode, whenMissing } from '@crunch/local-processes'
import { errorText } from '@crunch/local-processes/errors'
import { z } from 'zod'
import { OrchestratorError } from '../errors.ts'

/** The places that know which ids were ever in use. */
export interface IdTraces {
  readonly modelsFile: string
  readonly submissionsDirectory?: string
  /** Contains one folder per model, including removed ones. */
  readonly logsDirectory?: string | undefined
}

const markSchema = z.strictObject({ highest: z.number().int().nonnegative() })

/**
 * Returns the next free id and never reuses one: the history and the pay of a removed model must not go to another.
 * The highest assigned id is stored in two files, beside the models file and among the submissions. The result is above
 * both, above all listed ids, and above the ids of all logs. Call it while the models file is locked.
 *
 * Throws `MODELS_FILE_INVALID` if one of these files cannot be written, or exists but cannot be read.
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

/** Assigned ids are numbers; other ids were chosen by an operator. */
function numbersOf(ids: readonly string[]): readonly number[] {
  return ids.flatMap((id) => (/^\d{1,15}$/.test(id) ? [Number(id)] : []))
}

function marksOf({ modelsFile, submissionsDirectory }: IdTraces): readonly string[] {
  const beside = join(dirname(modelsFile), `.${basename(modelsFile)}.ids.json`)
  // Submission ids begin with a letter or digit, so no submission has this name.
  return submissionsDirectory === undefined ? [beside] : [beside, join(submissionsDirectory, '.model-ids.json')]
}

/** `null` if the file does not exist yet. */
function readMark(path: string): number | null {
  try {
    return markSchema.parse(JSON.parse(readFileSync(path, 'utf8'))).highest
  } catch (error) {
    if (systemErrorCode(error) === 'ENOENT') return null
    const fix = 'write {"highest": N} into it, where N is the highest id that a model ever had'
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
    return whenMissing([])(error)
  }
}
