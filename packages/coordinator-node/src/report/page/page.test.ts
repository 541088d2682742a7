import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { gunzipSync } from 'node:zlib'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { CrunchError } from '../../domain/errors.ts'
import { silentLog } from '../../ports/log.ts'
import { reportUnderTest } from '../report-app.testkit.ts'
import { allRoutes } from '../routes/all-routes.ts'

const html = '<!doctype html><script type="module" src="/assets/index-1a2b.js"></script>'
const script = `export const text = '${'x'.repeat(5_000)}'`
const views = [
  ...['/', '/models', '/models/42', '/models/a%2Fb', '/rounds', '/rounds/INP_1', '/feeds'],
  ...['/checkpoints', '/checkpoints/CKP_1', '/operations', '/about', '/?sort=-value&pin=1,2'],
]
let root: string
let folder: string

beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), 'crunch-page-'))
  folder = join(root, 'page')
  await mkdir(join(folder, 'assets'), { recursive: true })
  await writeFile(join(root, 'secret.js'), 'secret')
  await writeFile(join(folder, 'index.html'), html)
  await writeFile(join(folder, 'assets', 'index-1a2b.js'), script)
  await writeFile(join(folder, 'assets', 'icon-3c.svg'), '<svg xmlns="http://www.w3.org/2000/svg"/>')
})
afterAll(() => rm(root, { recursive: true, force: true }))

const page = () => reportUnderTest({ pageFolder: folder }).app

describe('the page', () => {
  it.each(views)('is at %s, with a policy that runs nothing inline', async (path) => {
    const response = await page().request(path)
    expect([response.status, await response.text()]).toEqual([200, html])
    expect(Object.fromEntries(response.headers)).toMatchObject({
      'content-type': 'text/html; charset=utf-8',
      'cache-control': 'no-cache',
      'content-security-policy': [
        ...["default-src 'none'", "script-src 'self'", "style-src 'self'", "img-src 'self' data:"],
        ...["connect-src 'self'", "font-src 'self'", "base-uri 'none'", "form-action 'none'", "frame-ancestors 'self'"],
      ].join('; '),
      'x-content-type-options': 'nosniff',
    })
  })

  it('answers HEAD, and 304 to a client that has it', async () => {
    const app = page()
    const head = await app.request('/rounds', { method: 'HEAD' })
    expect([head.status, await head.text()]).toEqual([200, ''])
    const etag = head.headers.get('etag') ?? ''
    const again = await app.request('/', { headers: { 'if-none-match': etag } })
    expect([again.status, again.headers.get('etag'), await again.text()]).toEqual([304, etag, ''])
    expect((await app.request('/', { headers: { 'if-none-match': 'W/"other"' } })).status).toBe(200)
  })

  it.each(['/models/', '/models/1/2', '/board', '/index.html', '/feeds/x', '/operations/x', '/ABOUT', '/reports'])(
    'is not at %s, which the API answers',
    async (path) => {
      const response = await page().request(path)
      expect([response.status, response.headers.get('content-type')]).toEqual([
        404,
        'application/problem+json; charset=utf-8',
      ])
    },
  )

  it('is at no path of the API', () => {
    const paths: readonly string[] = allRoutes.map(({ definition }) => definition.path)
    expect(paths.filter((path) => views.includes(path) || path.startsWith('/assets'))).toEqual([])
  })

  it('takes no changes', async () => {
    for (const method of ['POST', 'PUT', 'PATCH', 'DELETE']) {
      expect((await page().request('/', { method })).status).toBe(404)
    }
  })

  it('needs no key and no database, whatever the settings of access say', async () => {
    const errors: string[] = []
    const { app } = reportUnderTest({
      pageFolder: folder,
      access: { legacyKey: 'k', readsNeedKey: true, publicPrefixes: ['/healthz'], adminPrefixes: ['/'] },
      probe: () => Promise.reject(new CrunchError('STORE_UNAVAILABLE', 'down')),
      log: { ...silentLog, error: (message) => errors.push(message) },
    })
    for (const path of [...views, '/assets/index-1a2b.js']) {
      expect((await app.request(path, { headers: { 'x-api-key': 'wrong' } })).status, path).toBe(200)
    }
    expect(errors).toEqual([])
    expect((await app.request('/reports/leaderboard')).status).toBe(503)
  })
})

describe('its files', () => {
  it('are kept for good, in the form that the client takes', async () => {
    const app = page()
    const plain = await app.request('/assets/index-1a2b.js')
    expect(Object.fromEntries(plain.headers)).toMatchObject({
      'content-type': 'text/javascript; charset=utf-8',
      'cache-control': 'public, max-age=31536000, immutable',
      vary: expect.stringContaining('Accept-Encoding'),
    })
    expect(await plain.text()).toBe(script)
    const packed = await app.request('/assets/index-1a2b.js', { headers: { 'accept-encoding': 'br, gzip' } })
    const bytes = new Uint8Array(await packed.arrayBuffer())
    expect(packed.headers.get('content-encoding')).toBe('gzip')
    expect(bytes.length).toBeLessThan(200)
    expect(gunzipSync(bytes).toString()).toBe(script)
    expect((await app.request('/assets/icon-3c.svg')).headers.get('content-type')).toBe('image/svg+xml')
  })

  it.each([
    ...['/assets/', '/assets', '/assets/other.js', '/assets/..%2f..%2fsecret.js', '/assets/..%2findex.html'],
    ...['/assets/%2e%2e%2f%2e%2e%2fsecret.js', '/assets/..\\..\\secret.js', '/assets//etc/passwd', '/assets/__proto__'],
    ...['/assets/../secret.js', '/assets/%2e%2e/secret.js', '/assets/%c0%ae', '/assets/index-1a2b.js/'],
  ])('are only those of the build: not %s', async (path) => {
    const response = await page().request(path)
    expect([response.status, response.headers.get('content-type')]).toEqual([
      404,
      'application/problem+json; charset=utf-8',
    ])
  })

  it('may be missing: then the page says how to build it, and is served once it is there', async () => {
    const later = join(root, 'later')
    const { get, app } = reportUnderTest({ pageFolder: later })
    const { status, body } = await get<{ detail: string }>('/')
    expect([status, body.detail]).toEqual([503, expect.stringContaining('Run "npm run build"')])
    expect((await get('/reports/leaderboard')).status).toBe(200)
    await mkdir(join(later, 'assets'), { recursive: true })
    await writeFile(join(later, 'index.html'), html)
    expect((await app.request('/')).status).toBe(200)
  })

  it('of a form without a type are a fault of the build', async () => {
    const strange = join(root, 'strange')
    await mkdir(join(strange, 'assets'), { recursive: true })
    await writeFile(join(strange, 'index.html'), html)
    await writeFile(join(strange, 'assets', 'film.webm'), '')
    const { app, errors } = reportUnderTest({ pageFolder: strange })
    expect((await app.request('/')).status).toBe(500)
    expect(errors[0]?.fields?.error).toMatch(/film\.webm has no known type/)
  })
})
