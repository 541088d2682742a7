import { CliError } from '../cli-error.ts'

/** Enough for every request except sums over a whole day. */
const defaultLimitMs = 5_000
const maxBodyBytes = 16 * 1024 * 1024

/** An HTTP status and the JSON body. */
export interface JsonAnswer {
  readonly status: number
  readonly body: unknown
}

/**
 * Reads JSON from a service of this deployment. `who` and `fix` are used in the error.
 * @throws CliError if the service does not answer in time, or the answer is not JSON.
 */
export async function getJson(
  url: string,
  texts: { readonly who: string; readonly fix: string },
  options: { readonly headers?: Readonly<Record<string, string>>; readonly limitMs?: number } = {},
): Promise<JsonAnswer> {
  const { headers = {}, limitMs = defaultLimitMs } = options
  try {
    const response = await fetch(url, { headers: { ...headers }, signal: AbortSignal.timeout(limitMs) })
    return { status: response.status, body: JSON.parse(await readBody(response)) }
  } catch (error) {
    const cause = `${texts.who} does not answer (${reasonOf(error)})`
    throw new CliError({ place: url, cause, fix: texts.fix }, { cause: error })
  }
}

/** Describes the response to a refused request. */
export function refusalOf({ status, body }: JsonAnswer): string {
  const detail = typeof body === 'object' && body !== null && 'detail' in body ? `: ${String(body.detail)}` : ''
  return `it answered ${status}${detail}`
}

async function readBody(response: Response): Promise<string> {
  const chunks: Uint8Array[] = []
  let length = 0
  for await (const chunk of response.body ?? []) {
    length += chunk.length
    if (length > maxBodyBytes) throw new Error(`the answer is longer than ${maxBodyBytes} bytes`)
    chunks.push(chunk)
  }
  return Buffer.concat(chunks).toString('utf8')
}

function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error)
  if (error instanceof SyntaxError) return 'the response is not JSON: another program listens there'
  const cause = error.cause instanceof Error ? error.cause.message : ''
  return cause === '' ? error.message : cause
}
