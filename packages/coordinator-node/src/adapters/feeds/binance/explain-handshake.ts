import type { IncomingMessage } from 'node:http'
import type { CrunchError } from '../../../domain/errors.ts'
import type { ResolvedBinanceOptions } from './binance-options.ts'
import { explainRefusal } from './explain-refusal.ts'

const maxBodyBytes = 64 * 1024

/** Why a stream was not begun: the answer to its handshake means what it would mean over REST. */
export async function explainHandshake(
  response: IncomingMessage,
  place: string,
  options: Pick<ResolvedBinanceOptions, 'site' | 'timeoutMs' | 'now'>,
): Promise<CrunchError> {
  const headers = new Headers()
  for (const [name, value] of Object.entries(response.headers)) headers.set(name, String(value))
  const body = await readStart(response, options.timeoutMs)
  const answer = { place, status: response.statusCode ?? 0, headers, body }
  return explainRefusal(answer, { site: options.site }, options.now())
}

/** As much of a body as comes in time: its status and headers say enough without it. */
async function readStart(response: IncomingMessage, timeoutMs: number): Promise<string> {
  const timer = setTimeout(() => response.destroy(), timeoutMs)
  let text = ''
  try {
    response.setEncoding('utf8')
    for await (const chunk of response) {
      text += chunk
      if (text.length > maxBodyBytes) break
    }
  } catch (error) {
    if (!response.destroyed) throw error
  } finally {
    clearTimeout(timer)
  }
  return text
}
