import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterEach, expect, test } from 'vitest'
import { loadCustomRoutes } from './custom-routes.ts'

const hono = JSON.stringify(fileURLToPath(import.meta.resolve('hono')))
const folders: string[] = []
afterEach(() => {
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true })
})

function workspace(files: Readonly<Record<string, string>>): string {
  const folder = mkdtempSync(join(tmpdir(), 'custom-routes-'))
  folders.push(folder)
  mkdirSync(join(folder, 'api'))
  for (const [name, text] of Object.entries(files)) writeFileSync(join(folder, 'api', name), text)
  return folder
}

const app = (path: string) =>
  `import { Hono } from ${hono}\nexport default new Hono().get('${path}', (context) => context.text('yes'))\n`

test('loads the apps by name, and no helpers, tests and declarations', async () => {
  const rest = { '_help.ts': 'export const one = 1\n', 'a.test.ts': 'throw 1\n', 'a.d.ts': '', 'notes.md': '' }
  const apps = await loadCustomRoutes(workspace({ 'b.ts': app('/b'), 'a.ts': app('/a'), ...rest }))
  expect(apps.flatMap(({ routes }) => routes.map(({ path }) => path))).toEqual(['/a', '/b'])
  const none = workspace({})
  rmSync(join(none, 'api'), { recursive: true })
  expect(await loadCustomRoutes(none)).toEqual([])
})

test.each([
  ['one that throws', 'const one: number = 1\nthrow new Error("broken")\n', /bad\.ts could not be loaded.*bad\.ts:2/s],
  ['one with a syntax error', 'const one = 1\nconst = 2\n', /bad\.ts:2/],
  ['one without an app', 'export default { routes: [] }\n', /bad\.ts:1: its default export is no Hono app/],
  ['a route of another file', app('/a'), /bad\.ts and .*a\.ts both serve GET \/custom\/a/],
])('refuses %s', async (_, text, message) => {
  const loading = loadCustomRoutes(workspace({ 'a.ts': app('/a'), 'bad.ts': text }))
  await expect(loading).rejects.toMatchObject({ code: 'ROUTES_NOT_LOADED', message: expect.stringMatching(message) })
})
