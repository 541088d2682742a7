import type { TierRow } from '../access/tiers.ts'
import { isKnown, takesGzip } from '../http/conditional.ts'
import type { ReportApp } from '../http/mount-routes.ts'
import { problem } from '../http/problem.ts'
import type { ReportRequest } from '../http/serve-route.ts'
import { defaultPageFolder, type PageFile, type PageFiles, readPage } from './page-files.ts'

/** The paths of the page's views, which its script tells apart. The API has none of them. */
const viewPaths: readonly string[] = [
  ...['/', '/models', '/models/:id', '/rounds', '/rounds/:id', '/feeds'],
  ...['/checkpoints', '/checkpoints/:id', '/operations', '/about'],
]
const assetPath = '/assets/:name'

/** The page contains no data: what it shows comes from the routes of the API, which ask for keys. */
export const pageTiers: readonly TierRow[] = [...viewPaths, assetPath].map((path) => ({
  ...{ method: 'GET', path },
  tier: 'page',
}))

/** Everything comes from this node, and nothing is inline: text from the API can never become a script. */
const policy = [
  ...["default-src 'none'", "script-src 'self'", "style-src 'self'", "img-src 'self' data:", "connect-src 'self'"],
  ...["font-src 'self'", "base-uri 'none'", "form-action 'none'", "frame-ancestors 'self'"],
].join('; ')

const unbuilt =
  'The page has not been built. Run "npm run build" in the clone of the repository, then load it again; the API answers without it.'

/** Serves the page of the competition. Its files are read when the first client asks for them. */
export function addPage(app: ReportApp, folder: string | undefined): void {
  let reading: Promise<PageFiles | null> | undefined
  async function files(): Promise<PageFiles | null> {
    reading ??= readPage(folder ?? defaultPageFolder())
    // Only a complete page is kept: it may be built while the node runs.
    const page = await reading.catch((error: unknown) => {
      reading = undefined
      throw error
    })
    if (page === null) reading = undefined
    return page
  }
  for (const path of viewPaths) {
    app.get(path, async (context) => {
      const page = await files()
      if (page === null) return problem(context, 503, unbuilt)
      return sendFile(context, page.index, 'no-cache', { 'content-security-policy': policy })
    })
  }
  app.get(assetPath, async (context) => {
    const page = await files()
    if (page === null) return problem(context, 503, unbuilt)
    const file = page.assets.get(context.req.param('name'))
    if (file === undefined) return context.notFound()
    return sendFile(context, file, 'public, max-age=31536000, immutable')
  })
}

function sendFile(
  context: ReportRequest,
  { type, bytes, gzipped, tag }: PageFile,
  cacheControl: string,
  more: Readonly<Record<string, string>> = {},
): Response {
  context.header('vary', 'Accept-Encoding', { append: true })
  const isCompressed = gzipped !== null && takesGzip(context.req.header('accept-encoding'))
  const headers = { ...more, 'cache-control': cacheControl, etag: tag }
  if (isKnown(context.req.header('if-none-match'), tag)) return context.body(null, 304, headers)
  if (!isCompressed) return context.body(bytes, 200, { ...headers, 'content-type': type })
  return context.body(gzipped, 200, { ...headers, 'content-type': type, 'content-encoding': 'gzip' })
}
