import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { whenMissing } from '@crunch/local-processes'
import { parseJson } from '../parse-json.ts'

/** One line that a model printed, or a message about the model (`service`, `builder`). */
export interface OutputLine {
  readonly message: string
  readonly error: boolean
  readonly emitter: string
}

/** Maximum number of lines shown per model. */
const maxLines = 1_000

/** The log of all runs of a model, oldest line first, limited to the newest 1,000 lines. */
export async function readModelOutput(logsDirectory: string, modelId: string): Promise<readonly OutputLine[]> {
  const folder = join(logsDirectory, modelId)
  const names = await readdir(folder).catch(whenMissing<string[]>([]))
  const texts = await Promise.all(names.sort().map((name) => readFile(join(folder, name), 'utf8')))
  return texts
    .flatMap((text) => text.split('\n'))
    .filter((line) => line !== '')
    .slice(-maxLines)
    .flatMap((line) => parseLine(line) ?? [])
}

function parseLine(text: string): OutputLine | undefined {
  const line = parseJson(text)
  if (typeof line !== 'object' || line === null || !('message' in line)) return undefined
  return {
    message: String(line.message),
    error: 'error' in line && line.error === true,
    emitter: 'emitter' in line ? String(line.emitter) : '',
  }
}
