import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { parseEnv } from 'node:util'
import { systemErrorCode } from '@crunch/local-processes'

/** Variables by name, as in `process.env`. */
export type Environment = Readonly<Record<string, string | undefined>>

/** The settings files of a node's folder, the stronger one first. */
export const environmentFiles = ['.local.env', '.env'] as const

/** What a node runs with: the process environment, then `.local.env`, then `.env`; the first that names a key wins. */
export function readEnvironment(nodeDirectory: string, processEnvironment: Environment): Record<string, string> {
  const merged: Record<string, string> = {}
  const layers = [...environmentFiles].reverse().map((file) => parseFile(join(nodeDirectory, file)))
  for (const layer of [...layers, processEnvironment]) {
    for (const [key, value] of Object.entries(layer)) {
      if (value !== undefined) merged[key] = value
    }
  }
  return merged
}

function parseFile(path: string): Environment {
  try {
    return parseEnv(readFileSync(path, 'utf8'))
  } catch (error) {
    if (systemErrorCode(error) === 'ENOENT') return {}
    throw error
  }
}
