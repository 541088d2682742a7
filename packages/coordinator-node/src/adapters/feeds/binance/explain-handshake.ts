import type { IncomingMessage } from 'node:http'
import type { CrunchError } from '../../../domain/errors.ts'
import type { ResolvedBinanceOptions } from './binance-options.ts'
import { explainRefusal } from './explain-refusal.ts'

const maxBodyBytes = 64 * 1024

/** Why a handshake failed. Its answer means the same as over REST. */
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

/** The part of the body that arrives in time; status and headers suffice without it. */
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
