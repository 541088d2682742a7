import { readFile } from 'node:fs/promises'
import { sep } from 'node:path'
import { systemErrorCode } from '@crunch/local-processes'
import { CrunchError } from '../../domain/errors.ts'
import type { CruncherRegistry } from '../../ports/payout/cruncher-registry.ts'
import { parseCrunchers } from './parse-crunchers.ts'

/** The accounts in a JSON file, read anew each time. */
export function fileRegistry(path: string): CruncherRegistry {
  return {
    // Parent folders are omitted, because reasons are public.
    place: path.split(sep).slice(-2).join('/'),
    async accounts() {
      const text = await readFile(path, 'utf8').catch((error: unknown) => {
        const code = systemErrorCode(error)
        if (code === undefined) throw error
        const cause = code === 'ENOENT' ? 'the file does not exist' : `the file cannot be read (${code})`
        const fix =
          'write the wallet of each cruncher into it, or name another registry with the setting CRUNCHER_REGISTRY'
        const publicReason = 'the registry of crunchers cannot be read'
        throw new CrunchError('REGISTRY_UNAVAILABLE', `${path}: ${cause}\n  fix: ${fix}`, {
          cause: error,
          publicReason,
        })
      })
      return parseCrunchers(text, path)
    },
  }
}
