import type { ReportApp } from '../http/mount-routes.ts'
import { keySchemes } from '../http/operation.ts'

const description = `The report API of a competition. Times are UTC: those of chart series have no zone, since charts append the Z; all
others end in Z. Errors are problems as in RFC 9457, with \`message\` and \`fieldErrors\`. Answers of a round whose truth is not known yet are
hidden from all but their owner and keys with the scope admin.`

/** The API as OpenAPI 3.1, from the definitions of its routes. */
export function openApiDocument(app: ReportApp, version: string): ReturnType<ReportApp['getOpenAPI31Document']> {
  for (const [name, scheme] of Object.entries(keySchemes)) {
    app.openAPIRegistry.registerComponent('securitySchemes', name, scheme)
  }
  return app.getOpenAPI31Document({
    openapi: '3.1.0',
    info: { title: 'Report API', version, description: description.replaceAll('\n', ' ') },
  })
}
