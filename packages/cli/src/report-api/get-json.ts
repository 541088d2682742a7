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
  texts: Texts,
  options: { readonly headers?: Readonly<Record<string, string>>; readonly limitMs?: number } = {},
): Promise<JsonAnswer> {
  const { headers = {}, limitMs = defaultLimitMs } = options
  const response = await fetchLimited(url, texts, { headers: { ...headers } }, limitMs)
  try {
    return { status: response.status, body: await response.json() }
  } catch (error) {
    throw silent(url, texts, error)
  }
}

interface Texts {
  readonly who: string
  readonly fix: string
}

/**
 * Like `fetch`, with a limit on the time and the length of the answer, which is complete when it resolves.
 * @throws CliError if the service does not answer in time.
 */
export async function fetchLimited(
  url: string,
  texts: Texts,
  init: RequestInit = {},
  limitMs = defaultLimitMs,
): Promise<Response> {
  try {
    const response = await fetch(url, { ...init, signal: AbortSignal.timeout(limitMs) })
    return new Response(await readBody(response), { status: response.status, headers: response.headers })
  } catch (error) {
    throw silent(url, texts, error)
  }
}

function silent(url: string, { who, fix }: Texts, error: unknown): CliError {
  return new CliError({ place: url, cause: `${who} does not answer (${reasonOf(error)})`, fix }, { cause: error })
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
