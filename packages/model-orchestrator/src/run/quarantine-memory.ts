import { createHash } from 'node:crypto'
import { lstatSync, mkdirSync, readdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import { dirname, join, resolve } from 'node:path'
import { systemErrorCode } from '@crunch/local-processes'
import { errorText } from '@crunch/local-processes/errors'
import { z } from 'zod'
import type { OrchestratorLog } from '../log.ts'
import type { ModelEntry } from '../models-file/models-file.ts'
import { RUN_FAILURE_CODES, type RunFailureCode } from '../run-failure.ts'
import { LEFT_OUT } from '../submission/copy-submission.ts'

/** Why a run of a model failed. */
export interface ModelFailure {
  readonly code: RunFailureCode
  readonly reason: string
  readonly deploymentId: string
  /** The submission that failed; the model may have another one by now. */
  readonly submissionId: string
  readonly at: Date
}

/** Remembers quarantined models across restarts of the orchestrator. */
export interface QuarantineMemory {
  /** Why this model was quarantined with this code and hardware; null if it was not, or if its code has changed since. */
  recall(entry: ModelEntry): ModelFailure | null
  remember(entry: ModelEntry, failure: ModelFailure): void
  forget(modelId: string): void
}

/** How many files are checked to detect an edit of the submission. */
const MAX_FILES_LOOKED_AT = 2_000
const MAX_REASON_CHARACTERS = 4_000

const fileSchema = z.strictObject({
  models: z.array(
    z.strictObject({
      model_id: z.string(),
      submission_id: z.string(),
      resource_id: z.string().nullable(),
      hardware_type: z.enum(['CPU', 'GPU']),
      code_fingerprint: z.string(),
      failure: z.strictObject({
        code: z.enum(RUN_FAILURE_CODES),
        reason: z.string(),
        deployment_id: z.string(),
        at: z.iso.datetime(),
      }),
    }),
  ),
})
type Remembered = z.output<typeof fileSchema>['models'][number]

/**
 * Reads the memory at `path`; without a path it is lost at a restart. An unusable file is logged, and the models are
 * tried again, which costs each a few starts.
 */
export function openQuarantineMemory(input: {
  readonly path: string | undefined
  readonly submissionsDirectory: string
  readonly log: OrchestratorLog
}): QuarantineMemory {
  const path = input.path === undefined ? null : resolve(input.path)
  const remembered = new Map(path === null ? [] : load(path, input.log).map((model) => [model.model_id, model]))
  const fingerprint = ({ submissionId }: ModelEntry) => fingerprintOf(join(input.submissionsDirectory, submissionId))
  const save = () => {
    if (path !== null) store(path, [...remembered.values()], input.log)
  }
  return {
    recall(entry) {
      const model = remembered.get(entry.id)
      if (model === undefined || !isSame(model, entry) || model.code_fingerprint !== fingerprint(entry)) return null
      const { code, reason, deployment_id: deploymentId, at } = model.failure
      return { code, reason, deploymentId, submissionId: entry.submissionId, at: new Date(at) }
    },
    remember(entry, { code, reason, deploymentId, at }) {
      if (path === null) return
      remembered.set(entry.id, {
        model_id: entry.id,
        submission_id: entry.submissionId,
        resource_id: entry.resourceId,
        hardware_type: entry.hardwareType,
        code_fingerprint: fingerprint(entry),
        failure: {
          code,
          reason: reason.slice(0, MAX_REASON_CHARACTERS),
          deployment_id: deploymentId,
          at: at.toISOString(),
        },
      })
      save()
    },
    forget(modelId) {
      if (remembered.delete(modelId)) save()
    },
  }
}

/** The quarantine file of an orchestrator with its logs (or else its submissions) in `directory`. */
export function quarantineFileIn(directory: string): string {
  // Ids begin with a letter or digit, so no folder of a model or submission has this name.
  return join(directory, '.quarantine.json')
}

/**
 * Lifts the quarantine of a model from the next start of the orchestrator on; a running one does not notice. Problems
 * with the file are logged.
 */
export function endQuarantine(logsDirectory: string, modelId: string, log: OrchestratorLog): void {
  openQuarantineMemory({ path: quarantineFileIn(logsDirectory), submissionsDirectory: '', log }).forget(modelId)
}

function isSame(model: Remembered, entry: ModelEntry): boolean {
  return (
    model.submission_id === entry.submissionId &&
    model.resource_id === entry.resourceId &&
    model.hardware_type === entry.hardwareType
  )
}

function load(path: string, log: OrchestratorLog): readonly Remembered[] {
  try {
    return fileSchema.parse(JSON.parse(readFileSync(path, 'utf8'))).models
  } catch (error) {
    if (systemErrorCode(error) === 'ENOENT') return []
    const fix = 'delete it; it is created again when a model is quarantined'
    log.warn('the list of quarantined models cannot be read; they are started again', {
      path,
      reason: errorText(error),
      fix,
    })
    return []
  }
}

/** Writes synchronously, since writes are rare and small; the rename is atomic for readers. */
function store(path: string, models: readonly Remembered[], log: OrchestratorLog): void {
  try {
    mkdirSync(dirname(path), { recursive: true })
    writeFileSync(`${path}.new`, `${JSON.stringify({ models }, null, 2)}\n`)
    renameSync(`${path}.new`, path)
  } catch (error) {
    log.error('the list of quarantined models cannot be written; a restart will start them again', {
      path,
      reason: errorText(error),
    })
  }
}

/** Names, sizes and times of the files, so that code that was edited in place is tried again after a restart. */
function fingerprintOf(directory: string): string {
  const hash = createHash('sha256')
  let files = 0
  const visit = (folder: string): void => {
    for (const entry of readdirSync(folder, { withFileTypes: true }).sort((a, b) => (a.name < b.name ? -1 : 1))) {
      if (LEFT_OUT.has(entry.name)) continue
      files += 1
      if (files > MAX_FILES_LOOKED_AT) return
      const path = join(folder, entry.name)
      if (entry.isDirectory()) visit(path)
      else {
        const { size, mtimeMs } = lstatSync(path)
        hash.update(JSON.stringify([path, size, mtimeMs]))
      }
    }
  }
  try {
    visit(directory)
  } catch (error) {
    // A folder that is missing or changing counts as changed code, which is tried.
    hash.update(systemErrorCode(error) ?? errorText(error))
  }
  return hash.digest('hex')
}
