import { expect, it } from 'vitest'
import { type Page, readPages } from './read-pages.ts'

const all = [1, 2, 3, 4, 5]

/** A list whose pages have two rows. */
async function readPage(cursor = '0'): Promise<Page<number>> {
  const from = Number(cursor)
  const isLast = from + 2 >= all.length
  return { rows: all.slice(from, from + 2), link: isLast ? null : `<?state=open&cursor=${from + 2}>; rel="next"` }
}

it('reads as many pages as the wanted rows need, and knows whether the list goes on', async () => {
  expect(await readPages(2, readPage)).toEqual({ rows: [1, 2], hasMore: true })
  expect(await readPages(3, readPage)).toEqual({ rows: [1, 2, 3, 4], hasMore: true })
  expect(await readPages(100, readPage)).toEqual({ rows: all, hasMore: false })
})
