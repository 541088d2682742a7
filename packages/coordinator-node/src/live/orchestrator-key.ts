import { readFileSync } from 'node:fs'
import { errorText } from '@crunch/local-processes/errors'
import type { Log } from '../ports/log.ts'
import type { Settings } from './settings.ts'

/**
 * The key from the settings, or from the file that a local orchestrator creates at its first start. It is read anew for each
 * use. `consequence`: what is missing without it, for the log.
 */
export function orchestratorKeyOf(settings: Settings, log: Log, consequence: string): () => string | undefined {
  const { API_KEY: key, MODEL_ORCHESTRATOR_KEY_FILE: path } = settings
  return () => {
    if (key !== undefined || path === undefined) return key
    try {
      return readFileSync(path, 'utf8').trim()
    } catch (error) {
      log.warn(`the key of the model orchestrator cannot be read; ${consequence}`, { path, reason: errorText(error) })
      return undefined
    }
  }
}
