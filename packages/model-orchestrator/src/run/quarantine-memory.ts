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
  /** The code that failed: the model may have other code by now. */
  readonly submissionId: string
  readonly at: Date
}

/** Which models were set aside, over restarts of the orchestrator. */
export interface QuarantineMemory {
  /** Why this model, with this code and on this hardware, was set aside; null when it was not, or its code changed since. */
  recall(entry: ModelEntry): ModelFailure | null
  remember(entry: ModelEntry, failure: ModelFailure): void
  forget(modelId: string): void
}

/** More of a submission is not looked at to see whether it was edited. */
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
 * Reads the memory at `path`; without a path nothing outlives a restart. A file that cannot be used is logged, and
 * the models are tried again: that costs each a few starts.
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

/** Where the quarantines of an orchestrator lie that keeps its logs (or else its submissions) in `directory`. */
export function quarantineFileIn(directory: string): string {
  // Ids begin with a letter or digit, so no model's or submission's folder has this name.
  return join(directory, '.quarantine.json')
}

/**
 * Lets a model be tried again at the next start of an orchestrator; one that runs notices nothing. What is wrong with
 * the memory goes to `log`.
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
    const fix = 'delete it; it is written anew when a model is set aside'
    log.warn('the list of quarantined models cannot be read; they are started again', {
      path,
      reason: errorText(error),
      fix,
    })
    return []
  }
}

/** Seldom and small, so it may be done at once; a reader never sees half a file. */
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

/** Names, sizes and times of the files: an author who edits the code in place and starts the node again has a new try. */
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
    // A folder that is gone or changes right now counts as another code, which is tried.
    hash.update(systemErrorCode(error) ?? errorText(error))
  }
  return hash.digest('hex')
}
