/** Rows of a list that comes page by page, from its beginning. */
export interface Rows<Row> {
  readonly rows: readonly Row[]
  /** Whether the list goes on behind them. */
  readonly hasMore: boolean
}

export interface Page<Row> {
  readonly rows: readonly Row[]
  /** The header `Link`. */
  readonly link: string | null
}

/**
 * Reads a list up to so many rows, one page after the other: a page ends at a row and not at a number, so what arrives meanwhile
 * neither repeats rows nor hides them.
 */
export async function readPages<Row>(
  wanted: number,
  readPage: (cursor: string | undefined) => Promise<Page<Row>>,
): Promise<Rows<Row>> {
  const all: Row[] = []
  let cursor: string | undefined
  do {
    const { rows, link } = await readPage(cursor)
    all.push(...rows)
    cursor = nextCursor(link)
  } while (cursor !== undefined && all.length < wanted)
  return { rows: all, hasMore: cursor !== undefined }
}

/** The cursor of the link `next` (RFC 8288); undefined on the last page. */
function nextCursor(link: string | null): string | undefined {
  const query = /<\?([^>]*)>;\s*rel="next"/.exec(link ?? '')?.[1]
  return query === undefined ? undefined : (new URLSearchParams(query).get('cursor') ?? undefined)
}
