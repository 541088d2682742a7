import { errorText } from '@crunch/local-processes/errors'
import { CrunchError } from '../domain/errors.ts'
import type { ModelLines } from '../report/report-context.ts'
import type { Settings } from './settings.ts'

const limitMs = 5_000
/** A hundred lines are shorter, unless a model prints without line breaks. */
const maxBytes = 1_048_576

/** Reads the logs of models from the orchestrator's HTTP API. */
export function modelLinesOf(settings: Settings, key: () => string | undefined): ModelLines {
  const { MODEL_ORCHESTRATOR_HTTP_HOST: host, MODEL_ORCHESTRATOR_HTTP_PORT: port } = settings
  // 0.0.0.0 is an address to listen on, not a destination.
  const reached = host === '0.0.0.0' ? '127.0.0.1' : host === '::' ? '[::1]' : host.includes(':') ? `[${host}]` : host
  return async (run, kind) => {
    const url = `http://${reached}:${port}/models/logs/${kind}/${encodeURIComponent(run)}?from_start=false`
    const apiKey = key()
    const headers: Record<string, string> = apiKey === undefined ? {} : { 'x-api-key': apiKey }
    try {
      const response = await fetch(url, { headers, redirect: 'error', signal: AbortSignal.timeout(limitMs) })
      if (response.status === 404) return null
      if (response.status !== 200) throw new Error(`it answered ${response.status}`)
      return linesOf(await readText(response))
    } catch (error) {
      throw new CrunchError(
        'ORCHESTRATOR_UNAVAILABLE',
        `no log of a model can be read at ${url} (${errorText(error)})`,
        {
          cause: error,
        },
      )
    }
  }
}

async function readText(response: Response): Promise<string> {
  const chunks: Uint8Array[] = []
  let length = 0
  for await (const chunk of response.body ?? []) {
    length += chunk.length
    if (length > maxBytes) throw new Error(`its answer is longer than ${maxBytes} bytes`)
    chunks.push(chunk)
  }
  return Buffer.concat(chunks).toString('utf8')
}

function linesOf(text: string): readonly string[] {
  return text === '' ? [] : text.replace(/\n$/, '').split('\n')
}
