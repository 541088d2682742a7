import { createReadStream, existsSync } from 'node:fs'
import { createRequire } from 'node:module'
import { Readable } from 'node:stream'
import { fileURLToPath } from 'node:url'
import type { ReportApp } from '../http/mount-routes.ts'
import type { ReportInfo } from '../report-context.ts'
import { openApiDocument } from './openapi-document.ts'

const assets: Readonly<Record<string, string>> = {
  'swagger-ui.css': 'text/css; charset=utf-8',
  'swagger-ui-bundle.js': 'text/javascript; charset=utf-8',
}

const page = `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Report API</title>
<link rel="stylesheet" href="/docs/swagger-ui.css">
<div id="reference"></div>
<script src="/docs/swagger-ui-bundle.js"></script>
<script src="/docs/open.js"></script>
</html>
`

const openScript = `SwaggerUIBundle({ url: '/openapi.json', dom_id: '#reference', deepLinking: true, validatorUrl: null })\n`

/** Everything comes from this node. The page needs inline styles, and no inline script. */
const policy =
  "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; connect-src 'self'"

/** The description of the API for programs at `/openapi.json`, and for people at `/docs`. */
export function addReference(app: ReportApp, { version }: ReportInfo): void {
  let document: string | undefined
  app.get('/openapi.json', (context) => {
    document ??= JSON.stringify(openApiDocument(app, version))
    return context.body(document, 200, { 'content-type': 'application/json; charset=utf-8' })
  })
  app.get('/docs', (context) => {
    context.header('content-security-policy', policy)
    return context.html(page)
  })
  app.get('/docs/open.js', (context) =>
    context.body(openScript, 200, { 'content-type': 'text/javascript; charset=utf-8' }),
  )
  for (const [name, type] of Object.entries(assets)) {
    app.get(`/docs/${name}`, (context) => {
      const stream = Readable.toWeb(createReadStream(assetPath(name))) as ReadableStream<Uint8Array>
      return context.body(stream, 200, { 'content-type': type, 'cache-control': 'public, max-age=3600' })
    })
  }
}

/** The build copies the files, since installing their package reports to another host. */
function assetPath(name: string): string {
  const built = fileURLToPath(new URL(`./swagger-ui/${name}`, import.meta.url))
  return existsSync(built) ? built : createRequire(import.meta.url).resolve(`swagger-ui-dist/${name}`)
}
