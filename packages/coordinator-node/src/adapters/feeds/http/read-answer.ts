import { FeedInterrupted } from '../../../ports/feed-source.ts'
import type { HttpAnswer } from './get-text.ts'

const shownCharacters = 200

/**
 * The JSON of an answer; throws `FeedInterrupted` for anything else, such as an error page of a proxy.
 * @param fix what to do if it stays so, where an address or a key may be wrong
 */
export function parseAnswer(answer: HttpAnswer, fix = ''): unknown {
  try {
    return JSON.parse(answer.body)
  } catch (error) {
    throw new FeedInterrupted(`${answer.place} did not answer with JSON: ${excerpt(answer.body)}${fix && `; ${fix}`}`, {
      cause: error,
    })
  }
}

/** For an answer other than 200 without a special meaning at its provider: retry, but not before the time that it states. */
export function refusal(answer: HttpAnswer, now: number): FeedInterrupted {
  const retryAfterMs = readRetryAfter(answer.headers, now)
  const wait = retryAfterMs === undefined ? '' : `; it asks to wait ${Math.ceil(retryAfterMs / 1_000)} s`
  return new FeedInterrupted(`${answer.place} answered ${answer.status}, ${excerpt(answer.body)}${wait}`, {
    ...(retryAfterMs !== undefined && { retryAfterMs }),
  })
}

/** The wait in a `Retry-After` header (seconds or a date), in milliseconds. */
export function readRetryAfter(headers: Headers, now: number): number | undefined {
  const value = headers.get('retry-after')?.trim()
  if (value === undefined || value === '') return undefined
  if (/^\d+$/.test(value)) return Number(value) * 1_000
  const at = Date.parse(value)
  return Number.isNaN(at) ? undefined : Math.max(0, at - now)
}

/** A body in one line, without markup. */
export function excerpt(body: string): string {
  const text = body
    .replace(/<(style|script)[\s\S]*?<\/\1>/gi, ' ')
    .replace(/<[^>]*>/g, ' ')
    .replace(/\s+/g, ' ')
    .trim()
  if (text === '') return 'nothing'
  return text.length <= shownCharacters ? `"${text}"` : `"${text.slice(0, shownCharacters)}…"`
}
