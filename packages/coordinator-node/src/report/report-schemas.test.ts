import { beforeAll, describe, expect, it } from 'vitest'
import { type ReportReplay, replayReport } from '../../test/report-replay.ts'
import type { RouteDefinition } from './http/define-route.ts'
import { reportUnderTest } from './report-app.testkit.ts'
import { allRoutes } from './routes/all-routes.ts'

const all: readonly RouteDefinition[] = allRoutes.map(({ definition }) => definition)
const reads = all.filter(({ method, mediaType }) => method === 'get' && mediaType === undefined)

let replay: ReportReplay
beforeAll(async () => {
  replay = await replayReport()
})

/** The schemas drop what they do not describe. */
function expectDescribed({ answer }: RouteDefinition, body: unknown): void {
  expect(answer.parse(body)).toEqual(body)
}

describe('every route', () => {
  it('is served once', () => {
    const names = all.map(({ method, path }) => `${method} ${path}`)
    expect(names).toEqual([...new Set(names)])
  })

  it.each(reads.map((definition) => [definition.path, definition] as const))(
    '%s answers its example as its schema says',
    async (_, definition) => {
      const { status, body } = await replay.get<unknown>(definition.example.path)
      expect([status, Array.isArray(body) ? body.length > 0 : true]).toEqual([200, true])
      expectDescribed(definition, body)
    },
  )

  it.each(reads.map((definition) => [definition.path, definition] as const))(
    '%s answers before anything is stored',
    async (path, definition) => {
      const { status, body } = await reportUnderTest().get<unknown>(definition.example.path)
      if (path.includes('{') || path.includes('latest') || path.startsWith('/data/')) return expect(status).toBe(404)
      // No such series, and no such preview.
      if (['/reports/feeds/series', '/reports/checkpoints/preview', '/reports/services/logs'].includes(path))
        return expect(status).toBe(404)
      if (path === '/readyz') return expect(status).toBe(503)
      expect(status).toBe(200)
      expectDescribed(definition, body)
    },
  )
})
