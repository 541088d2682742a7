import { errorText } from '@crunch/local-processes/errors'
import { CrunchError } from '../../domain/errors.ts'
import type { CruncherRegistry } from '../../ports/payout/cruncher-registry.ts'
import { parseCrunchers } from './parse-crunchers.ts'

const limitMs = 10_000
const maxBytes = 10_000_000

/** The accounts that an HTTP endpoint returns, in the format of the file. Redirects are not followed: they could lead to another registry. */
export function httpRegistry(url: string): CruncherRegistry {
  // Parameters may hold a key.
  const { origin, pathname } = new URL(url)
  const place = `${origin}${pathname}`
  return {
    place,
    async accounts() {
      try {
        return parseCrunchers(await download(url), place)
      } catch (error) {
        if (error instanceof CrunchError) throw error
        const fix = 'make sure that it answers, or name another registry with the setting CRUNCHER_REGISTRY'
        const publicReason = 'the registry of crunchers cannot be read'
        const message = `${place}: the registry of crunchers cannot be read: ${reasonOf(error)}\n  fix: ${fix}`
        throw new CrunchError('REGISTRY_UNAVAILABLE', message, { cause: error, publicReason })
      }
    },
  }
}

/** `fetch failed` alone explains nothing. */
function reasonOf(error: unknown): string {
  const text = errorText(error)
  return error instanceof Error && error.cause instanceof Error ? `${text}: ${error.cause.message}` : text
}

async function download(url: string): Promise<string> {
  const headers = { accept: 'application/json' }
  const response = await fetch(url, { headers, redirect: 'error', signal: AbortSignal.timeout(limitMs) })
  if (response.status !== 200 || response.body === null) {
    await response.body?.cancel()
    throw new Error(`it answered with HTTP ${response.status}`)
  }
  const chunks: Uint8Array[] = []
  let size = 0
  for await (const chunk of response.body) {
    chunks.push(chunk)
    size += chunk.length
    if (size > maxBytes) throw new Error(`its answer is larger than ${maxBytes} bytes`)
  }
  return Buffer.concat(chunks).toString('utf8')
}
