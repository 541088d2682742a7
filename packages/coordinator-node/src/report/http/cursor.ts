import { z } from 'zod'
import type { ReportRequest } from './serve-route.ts'

// A page of a list ends at a key, not at a number of rows: rows that arrive in the meantime neither repeat nor hide others.

const maxLength = 8_000
const problem = 'is not a cursor of this route: take it from the header `Link` of the page before'

/** The parameter `cursor`: the key of the last row of a page, e.g. its time and its id. Opaque to clients. */
export function cursorField<Key extends z.ZodType>(key: Key) {
  return z
    .string()
    .max(maxLength, problem)
    .transform((text, context) => {
      const read = key.safeParse(decode(text))
      if (read.success) return read.data
      context.addIssue({ code: 'custom', message: problem, input: text })
      return z.NEVER
    })
    .optional()
    .meta({
      description: 'Where the page begins: `cursor` of the link `next` in the header `Link` of the page before.',
    })
}

/** Adds the header `Link` (RFC 8288) with the next page, relative to the URL of the request, so that it is right behind a proxy. */
export function linkNext(context: ReportRequest, key: readonly (string | number)[]): void {
  const { searchParams } = new URL(context.req.url)
  searchParams.set('cursor', Buffer.from(JSON.stringify(key)).toString('base64url'))
  context.header('link', `<?${searchParams}>; rel="next"`)
}

/** `undefined` for a text that is no cursor. */
function decode(text: string): unknown {
  try {
    return JSON.parse(Buffer.from(text, 'base64url').toString())
  } catch {
    return undefined
  }
}
