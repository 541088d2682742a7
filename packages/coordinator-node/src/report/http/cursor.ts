import { z } from 'zod'
import type { ReportRequest } from './serve-route.ts'

// A page of a list ends at a key, not at a number of rows: rows that arrive in the meantime neither repeat nor hide others.

const maxLength = 8_000
const problem = 'is not a cursor of this route: take it from the header `Link` of the page before'

/** The parameter `cursor`: the key of the last row of a page, e.g. its time and its id. Opaque to clients. */
export function cursorField<Key extends z.ZodType>(key: Key) {
  return z
    .string()
    .transform((text, context) => {
      const read = key.safeParse(text.length > maxLength ? undefined : decode(text)?.key)
      if (read.success) return read.data
      context.addIssue({ code: 'custom', message: problem, params: badRequest, input: text })
      return z.NEVER
    })
    .optional()
    .meta({
      description: 'Where the page begins: `cursor` of the link `next` in the header `Link` of the page before.',
    })
}

/** Of an issue that is answered with 400 instead of 422: what the client has changed was not its to write. */
export const badRequest = { status: 400 } as const

/** Throws the `ZodError` of a cursor that this list did not give. */
export function refuseCursor(input: unknown): never {
  throw new z.ZodRealError([{ code: 'custom', path: ['cursor'], message: problem, params: badRequest, input }])
}

/** Throws the `ZodError` of a cursor that another list gave, such as that of another model. */
export function checkCursor(text: string | undefined, path: string): void {
  const cursor = text === undefined || text.length > maxLength ? null : decode(text)
  // What is no cursor at all is refused by its field.
  if (cursor !== null && cursor.path !== path) refuseCursor(text)
}

/** The rows of a page, of which one more than its `limit` was read. Adds the header `Link` with the next page if there is one. */
export function pageOf<Row>(
  rows: readonly Row[],
  limit: number,
  { context, keyOf }: { readonly context: ReportRequest; readonly keyOf: (row: Row) => readonly (string | number)[] },
): readonly Row[] {
  if (rows.length <= limit) return rows
  const page = rows.slice(0, limit)
  linkNext(context, keyOf(page[limit - 1] as Row))
  return page
}

/** The same of rows that come oldest first, of which the next page has older ones. */
export function newestPage<Row>(
  rows: readonly Row[],
  limit: number,
  { context, keyOf }: { readonly context: ReportRequest; readonly keyOf: (row: Row) => readonly (string | number)[] },
): readonly Row[] {
  if (rows.length <= limit) return rows
  const page = rows.slice(-limit)
  linkNext(context, keyOf(page[0] as Row))
  return page
}

/** Adds the header `Link` (RFC 8288) with the next page, relative to the URL of the request, so that it is right behind a proxy. */
export function linkNext(context: ReportRequest, key: readonly (string | number)[]): void {
  const { searchParams } = new URL(context.req.url)
  searchParams.set('cursor', Buffer.from(JSON.stringify({ path: context.req.path, key })).toString('base64url'))
  context.header('link', `<?${searchParams}>; rel="next"`)
}

const cursorSchema = z.object({ path: z.string(), key: z.unknown() })

/** `null` for a text that is no cursor. */
function decode(text: string): z.output<typeof cursorSchema> | null {
  const bytes = Buffer.from(text, 'base64url')
  // Node skips what is not base64.
  if (bytes.toString('base64url') !== text) return null
  try {
    return cursorSchema.parse(JSON.parse(bytes.toString()))
  } catch {
    return null
  }
}
