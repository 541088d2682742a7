import { beforeAll, expect, it } from 'vitest'
import { type ReportReplay, replayReport } from '../../test/report-replay.ts'
import type { RouteDefinition } from './http/define-route.ts'
import { fromHere } from './report-app.testkit.ts'
import { allRoutes } from './routes/all-routes.ts'

const texts: readonly string[] = [
  ...['0', '-1', '1e9', '9'.repeat(400), 'NaN', '1.5', '', ' ', ','],
  ...['2026-02-30', '275760-09-13T00:00:01Z', '-271821-04-20', '2026-03-01T99:00Z'],
  ...["' or 1=1; drop table models; --", '%', '_%\\', 'jndi:ldap://x', '{{7*7}}', '<script>'],
  ...['a\n{"level":50,"msg":"forged"}', '\u001b[2J', '\u202e', '\u0000', '../../etc/passwd', '..%2f..', '__proto__'],
  ...['constructor', 'x'.repeat(10_000), JSON.stringify({ $ne: null })],
]

let replay: ReportReplay
beforeAll(async () => {
  replay = await replayReport()
})

const all: readonly RouteDefinition[] = allRoutes.map(({ definition }) => definition)
const cases = all.flatMap((definition) => [
  ...Object.keys(definition.query?.shape ?? {}).map((name) => [definition, name, 'query'] as const),
  ...Object.keys(definition.params?.shape ?? {}).map((name) => [definition, name, 'path'] as const),
])

function withText({ path, example }: RouteDefinition, name: string, place: 'query' | 'path', text: string): string {
  const encoded = encodeURIComponent(text)
  if (place === 'query') return `${example.path.split('?')[0]}?${name}=${encoded}`
  return path.replace(`{${name}}`, encoded).replaceAll(/\{\w+\}/g, '1')
}

it.each(
  cases.map(([definition, name, place]) => [definition.method, definition.path, name, definition, place] as const),
)(
  '%s %s accepts or refuses every text as %s, and shows nothing of the node',
  async (method, _, name, definition, place) => {
    for (const text of texts) {
      const path = withText(definition, name, place, text)
      const response = await replay.app.request(path, { ...fromHere.init, method: method.toUpperCase() }, fromHere.env)
      const { status } = response
      const body = (await response.json()) as Record<string, unknown>
      expect([path, status], path).toEqual([path, expect.toSatisfy((code) => code < 500)])
      if (status >= 400) expect(Object.keys(body)).toEqual(expect.arrayContaining(['detail', 'message']))
      expect(JSON.stringify(body)).not.toMatch(/node_modules|\.ts:\d|at .+ \(/)
    }
  },
)
