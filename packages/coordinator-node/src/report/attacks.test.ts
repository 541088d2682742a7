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
    for (const sent of texts) {
      const path = withText(definition, name, place, sent)
      const response = await replay.app.request(path, { ...fromHere.init, method: method.toUpperCase() }, fromHere.env)
      const { status } = response
      const text = await response.text()
      expect([path, status], path).toEqual([path, expect.toSatisfy((code) => code < 500)])
      if (status >= 400) expect(Object.keys(JSON.parse(text))).toEqual(expect.arrayContaining(['detail', 'message']))
      expect(text).not.toMatch(/node_modules|\.ts:\d|at .+ \(/)
    }
  },
)

it('answers a long path and a thousand unknown parameters shortly, without comparing them all', async () => {
  const names = Array.from({ length: 1_000 }, (_, index) => `name${index}=1`).join('&')
  for (const path of [
    `/${'x'.repeat(60_000)}`,
    `/reports/leaderboard?${'y'.repeat(30_000)}=1`,
    `/reports/leaderboard?${names}`,
  ]) {
    const text = await (await replay.app.request(path, fromHere.init, fromHere.env)).text()
    expect(text.length, path.slice(0, 40)).toBeLessThan(10_000)
  }
})
