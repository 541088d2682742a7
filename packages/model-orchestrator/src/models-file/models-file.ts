import { isPrintable } from '@crunch/local-processes'
import type { ModelInfos } from '@crunch/model-protocol'
import { type Document, LineCounter, parseDocument } from 'yaml'
import { z } from 'zod'
import { OrchestratorError } from '../errors.ts'
import { lineOf, readDocument } from './yaml-lines.ts'

/** The operator's settings for one model. */
export interface ModelEntry {
  readonly id: string
  readonly submissionId: string
  readonly resourceId: string | null
  readonly hardwareType: 'CPU' | 'GPU'
  readonly desiredState: 'RUNNING' | 'STOPPED'
  readonly infos: ModelInfos
  /** The line of `submission_id` in the file. */
  readonly line: number
}

/** The entries of this competition and of others. */
export interface ModelsFile {
  readonly entries: readonly ModelEntry[]
  readonly foreign: readonly { readonly id: string; readonly crunchId: string }[]
}

/** Ids become names of folders and log files, so they must not contain path separators. */
export function isFolderName(text: string): boolean {
  return /^[A-Za-z0-9][A-Za-z0-9._-]{0,127}$/.test(text)
}

const folderName = z
  .union([z.string(), z.number().int().nonnegative()])
  .transform(String)
  .refine(isFolderName, 'must be 1 to 128 letters, digits, ".", "_" or "-", beginning with a letter or digit')

/** Names are shown on boards, in logs and on terminals. */
const text = z
  .string()
  .refine(isPrintable, 'contains an invisible character (a control or direction character): remove it')
  .nullish()
  .transform((value) => value ?? null)

const entrySchema = z.strictObject({
  id: folderName,
  submission_id: folderName,
  crunch_id: z.string().min(1).optional(),
  desired_state: z.enum(['RUNNING', 'STOPPED']),
  name: text,
  resource_id: folderName.nullish().transform((value) => value ?? null),
  hardware_type: z.enum(['CPU', 'GPU']).default('CPU'),
  model_name: text,
  cruncher_name: text,
  cruncher_id: text,
  signature: text,
})

const fileSchema = z.strictObject({
  models: z
    .array(entrySchema)
    .nullable()
    .transform((entries) => entries ?? []),
})

/**
 * Parses the text of `models.dev.yml`. Throws `MODELS_FILE_INVALID` with path, line, cause and fix. One broken entry
 * makes the whole file invalid: reading it in part would stop models by mistake.
 */
export function parseModelsFile(input: {
  readonly path: string
  readonly text: string
  readonly crunchId: string
}): ModelsFile {
  // Text in another encoding, such as UTF-16 from PowerShell's `>`, contains these characters when decoded as UTF-8.
  if (/[\0\uFFFD]/.test(input.text)) throw invalid(input.path, 1, 'the file is not UTF-8; save it as UTF-8')
  const lines = new LineCounter()
  const document = parseDocument(input.text, { lineCounter: lines, prettyErrors: false })
  const [syntaxError] = document.errors
  if (syntaxError) throw invalid(input.path, lines.linePos(syntaxError.pos[0]).line, syntaxError.message)
  if (document.contents === null) throw invalid(input.path, 1, 'the file is empty; without models, write "models: []"')
  const parsed = fileSchema.safeParse(readDocument(document, (problem) => invalid(input.path, 1, problem)))
  if (!parsed.success) {
    const findings = parsed.error.issues.map((issue) => describeIssue(issue, document, lines))
    throw invalid(input.path, findings[0]!.line, findings.map((finding) => finding.text).join('; '))
  }
  const models = parsed.data.models
  for (const [index, model] of models.entries()) {
    const first = models.findIndex((other) => other.id === model.id)
    if (first === index) continue
    const line = lineOf(document, lines, ['models', index, 'id'])
    const firstLine = lineOf(document, lines, ['models', first, 'id'])
    throw invalid(input.path, line, `id "${model.id}" is taken by the entry on line ${firstLine}; give each its own id`)
  }
  return {
    entries: models.flatMap((model, index) => {
      const line = lineOf(document, lines, ['models', index, 'submission_id'])
      return (model.crunch_id ?? input.crunchId) === input.crunchId ? [toEntry(model, line)] : []
    }),
    foreign: models.flatMap(({ id, crunch_id }) =>
      crunch_id === undefined || crunch_id === input.crunchId ? [] : [{ id, crunchId: crunch_id }],
    ),
  }
}

function toEntry(model: z.output<typeof entrySchema>, line: number): ModelEntry {
  return {
    id: model.id,
    submissionId: model.submission_id,
    resourceId: model.resource_id,
    hardwareType: model.hardware_type,
    desiredState: model.desired_state,
    infos: {
      model_name: model.model_name ?? model.name,
      cruncher_id: model.cruncher_id,
      cruncher_name: model.cruncher_name ?? model.cruncher_id,
      cruncher_wallet_pubkey: null,
      cruncher_hotkey: null,
    },
    line,
  }
}

function describeIssue(
  issue: z.core.$ZodIssue,
  document: Document,
  lines: LineCounter,
): { readonly line: number; readonly text: string } {
  const path = issue.path.map((part) => (typeof part === 'symbol' ? String(part) : part))
  const line = lineOf(document, lines, path)
  const at = path.length > 0 ? path.join('.') : 'the file'
  if (issue.code !== 'unrecognized_keys') return { line, text: `${at} (line ${line}): ${issue.message}` }
  const known = path.length > 0 ? Object.keys(entrySchema.shape) : Object.keys(fileSchema.shape)
  return { line, text: `${at} (line ${line}): ${issue.message}; known keys: ${known.join(', ')}` }
}

function invalid(path: string, line: number, problem: string): OrchestratorError {
  return new OrchestratorError('MODELS_FILE_INVALID', `${path}:${line}: ${problem}`)
}
