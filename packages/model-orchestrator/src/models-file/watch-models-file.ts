import { readFile, stat } from 'node:fs/promises'
import { wait } from '@crunch/local-processes'
import { errorText } from '@crunch/local-processes/errors'
import { OrchestratorError } from '../errors.ts'
import type { OrchestratorLog } from '../log.ts'
import { type ModelsFile, parseModelsFile } from './models-file.ts'

/** Larger files are refused: 1,000 models take about 300 kB. */
const MAX_FILE_BYTES = 4 * 1024 * 1024
/** Two reads this far apart must agree: an editor that writes in place leaves the file incomplete for a moment. */
const AGREEMENT_MS = 50
const MAX_READS = 20

/** Reads `models.dev.yml` once. Throws `MODELS_FILE_INVALID` with path, cause and fix. */
export async function readModelsFile(path: string, crunchId: string): Promise<ModelsFile> {
  return parseModelsFile({ path, crunchId, text: await readModelsText(path) })
}

/**
 * Polls the file and calls `apply` for each change since `applied`. An unreadable or invalid file changes nothing; it
 * is logged once, and again when the file is valid.
 */
export function watchModelsFile(input: {
  readonly path: string
  readonly crunchId: string
  readonly pollMs: number
  readonly log: OrchestratorLog
  readonly apply: (file: ModelsFile) => void
}): { readonly close: () => Promise<void> } {
  const closing = new AbortController()
  const loop = poll(input, closing.signal)
  return {
    async close() {
      closing.abort()
      await loop
    },
  }
}

async function poll(input: Parameters<typeof watchModelsFile>[0], signal: AbortSignal): Promise<void> {
  const { path, crunchId, log } = input
  let lastProblem: string | null = null
  let lastText: string | null = null
  while (await wait(input.pollMs, signal)) {
    try {
      let text = await readModelsText(path)
      if (text === lastText && lastProblem === null) continue
      text = await agreedText(path, text, signal)
      if (signal.aborted) return
      const file = parseModelsFile({ path, crunchId, text })
      if (lastProblem !== null) log.info('models file is valid again', { path })
      lastProblem = null
      if (text !== lastText) input.apply(file)
      lastText = text
    } catch (error) {
      const problem = errorText(error)
      if (problem !== lastProblem) log.error('models file is invalid; the models stay as they are', { path, problem })
      lastProblem = problem
    }
  }
}

async function agreedText(path: string, first: string, signal: AbortSignal): Promise<string> {
  let text = first
  for (let reads = 1; reads < MAX_READS; reads += 1) {
    if (!(await wait(AGREEMENT_MS, signal))) return text
    const again = await readModelsText(path)
    if (again === text) return text
    text = again
  }
  throw new OrchestratorError(
    'MODELS_FILE_INVALID',
    `${path}: still being written; write a new file and rename it to this path`,
  )
}

/** Reads the models file. Throws `MODELS_FILE_INVALID`, with path, cause and fix, if it is unreadable or too large. */
export async function readModelsText(path: string): Promise<string> {
  try {
    const { size } = await stat(path)
    if (size > MAX_FILE_BYTES) {
      throw new OrchestratorError(
        'MODELS_FILE_INVALID',
        `${path}: ${size} bytes is more than the limit of ${MAX_FILE_BYTES}; remove entries that are no longer used`,
      )
    }
    return await readFile(path, 'utf8')
  } catch (error) {
    if (error instanceof OrchestratorError) throw error
    throw new OrchestratorError(
      'MODELS_FILE_INVALID',
      `${path}: cannot be read (${errorText(error)}); create it, with "models: []" if there are no models yet`,
      { cause: error },
    )
  }
}
