import { describe, expect, it } from 'vitest'
import { reportUnderTest } from '../report-app.testkit.ts'
import { allRoutes } from '../routes/all-routes.ts'

interface Operation {
  readonly operationId: string
  readonly parameters?: readonly { readonly name: string; readonly in: string }[]
  readonly responses: Readonly<Record<string, unknown>>
  readonly security: unknown
}

interface Document {
  readonly openapi: string
  readonly components: { readonly securitySchemes: Readonly<Record<string, unknown>> }
  readonly paths: Readonly<Record<string, Readonly<Record<string, Operation>>>>
}

describe('/openapi.json', () => {
  it('describes every route with its parameters and errors', async () => {
    const { body } = await reportUnderTest().get<Document>('/openapi.json')
    expect(body.openapi).toBe('3.1.0')
    const operations = Object.entries(body.paths).flatMap(([path, methods]) =>
      Object.keys(methods).map((method) => `${method} ${path}`),
    )
    expect(operations.toSorted()).toEqual(
      allRoutes.map(({ definition: { method, path } }) => `${method} ${path}`).toSorted(),
    )
    const { parameters = [], responses } = (body.paths['/reports/snapshots'] as { get: Operation }).get
    expect(parameters.map(({ name }) => name)).toEqual([
      ...['projectIds', 'start', 'end', 'since', 'until', 'include_ensembles', 'model_id', 'limit', 'cursor', 'format'],
    ])
    const securityOf = (path: string) => (body.paths[path] as { get: Operation }).get.security
    expect(Object.keys(body.components.securitySchemes)).toEqual(['bearer', 'header'])
    expect(securityOf('/info')).toEqual([{}, { bearer: [] }, { header: [] }])
    expect(securityOf('/reports/models/{model_id}/logs')).toEqual([{ bearer: [] }, { header: [] }])
    expect(Object.keys(responses)).toEqual([
      '200',
      '304',
      '400',
      '401',
      '403',
      '414',
      '422',
      '429',
      '431',
      '500',
      '503',
    ])
  })
})

describe('/docs', () => {
  it('needs no other host and no inline script', async () => {
    const { app } = reportUnderTest()
    const page = await app.request('/docs')
    const policy = page.headers.get('content-security-policy') ?? ''
    expect(policy).toContain("default-src 'none'")
    expect(policy).toContain("script-src 'self';")
    const html = await page.text()
    const sources = [...html.matchAll(/(?:src|href)="([^"]*)"/g)].map(([, source]) => source as string)
    expect(sources).toEqual(['/docs/swagger-ui.css', '/docs/swagger-ui-bundle.js', '/docs/open.js'])
    expect(html).not.toMatch(/<script>/)
    for (const source of sources) {
      const asset = await app.request(source)
      expect([asset.status, (await asset.text()).length > 50]).toEqual([200, true])
    }
  })
})

describe('what does not exist', () => {
  it('is answered with what does', async () => {
    const { get, app } = reportUnderTest()
    const wrong = await get<{ message: string; request_id: string }>('/reports/leaderbord')
    expect([wrong.status, wrong.body.message]).toEqual([
      404,
      'There is no GET /reports/leaderbord. Did you mean /reports/leaderboard?',
    ])
    expect(wrong.headers.get('content-type')).toBe('application/problem+json; charset=utf-8')
    expect(wrong.headers.get('x-request-id')).toBe(wrong.body.request_id)
    const method = await app.request('/reports/leaderboard', { method: 'DELETE' })
    expect([method.status, method.headers.get('allow')]).toEqual([405, 'GET'])
    expect(await method.json()).toMatchObject({ message: '/reports/leaderboard takes GET, not DELETE.' })
  })
})
