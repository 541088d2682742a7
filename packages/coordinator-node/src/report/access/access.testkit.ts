import { Hono } from 'hono'
import { HTTPException } from 'hono/http-exception'
import { createMemoryStore } from '../../adapters/store/memory/memory-store.ts'
import type { ApiKey } from '../../domain/access/api-key.ts'
import type { JsonObject } from '../../domain/json/json.ts'
import { silentLog } from '../../ports/log.ts'
import { minute } from '../../ports/store-samples.ts'
import { type AccessOptions, accessMiddleware } from './access.ts'
import type { AccessSettings } from './access-settings.ts'
import { newKeyText } from './key-text.ts'
import { createTiers, type TierRow } from './tiers.ts'
import type { RequestVariables } from './viewer.ts'

export interface Sent {
  readonly method?: string
  /** The other end of the socket; default: another machine. `null`: no socket. */
  readonly from?: string | null
  readonly httpVersion?: string
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: string
}

export interface Line extends JsonObject {
  readonly message: string
}

const rows: readonly TierRow[] = [
  { method: 'GET', path: '/healthz', tier: 'public' },
  { method: 'GET', path: '/open', tier: 'public' },
  { method: 'GET', path: '/reports/predictions', tier: 'read' },
  { method: 'GET', path: '/reports/checkpoints/{id}', tier: 'admin' },
  { method: 'POST', path: '/reports/checkpoints/{id}', tier: 'admin' },
  { method: 'GET', path: '/reports/models/{id}/logs', tier: 'owner' },
  { method: '*', path: '/custom/*', tier: 'admin' },
]

/** An app with one route a tier, each of which answers with the viewer; requests come from another machine unless they say so. */
export function accessUnderTest(access: AccessSettings = {}, overrides: Partial<AccessOptions['report']> = {}) {
  const store = createMemoryStore()
  const lines: Line[] = []
  const write = (message: string, fields: JsonObject = {}) => lines.push({ message, ...fields })
  const time = { wallMs: minute(0), monotonicMs: 0 }
  const app = new Hono<{ Variables: RequestVariables }>()
  const middleware = accessMiddleware({
    report: {
      reads: store,
      log: { ...silentLog, debug: write, info: write, warn: write, error: write },
      access,
      ...overrides,
    },
    tierOf: createTiers(rows),
    serve: (request, env) => app.fetch(request, env as object),
    clocks: { wallNow: () => time.wallMs, monotonicMs: () => time.monotonicMs },
  })
  for (const one of middleware) app.use(one)
  app.onError((error, context) => {
    if (!(error instanceof HTTPException)) throw error
    return context.json({ detail: error.message }, error.status)
  })
  app.notFound((context) => context.json({ detail: `There is no ${context.req.path}.` }, 404))
  for (const { method, path } of rows) {
    const answer = path.replaceAll(/\{(\w+)\}/g, ':$1').replace('/*', '/hello')
    app.on(method === '*' ? ['GET', 'POST'] : [method], answer, async (context) =>
      context.json({ viewer: context.get('viewer'), body: await context.req.text() }),
    )
  }
  app.get('/unlisted', (context) => context.json({}))
  return {
    ...{ app, store, lines, time },
    async addKey(scope: ApiKey['scope'], changes: Partial<ApiKey> = {}): Promise<string> {
      const { text, ...made } = newKeyText()
      const cruncherId = scope === 'participant' ? 'alice' : null
      const ends = { endsAt: null, endReason: null }
      await store.addApiKey({ ...made, name: scope, scope, cruncherId, createdAt: time.wallMs, ...ends, ...changes })
      return text
    },
    async send(path: string, sent: Sent = {}) {
      const { method = 'GET', from = '203.0.113.9', httpVersion = '1.1', headers = {}, body } = sent
      const incoming = { socket: { remoteAddress: from }, httpVersion, rawHeaders: Object.entries(headers).flat() }
      const response = await app.request(
        `http://127.0.0.1:8000${path}`,
        { method, headers: { host: '127.0.0.1:8000', ...headers }, ...(body === undefined ? {} : { body }) },
        from === null ? {} : { incoming },
      )
      const text = await response.text()
      return { status: response.status, headers: response.headers, text, body: text === '' ? null : JSON.parse(text) }
    },
  }
}

export const bearer = (key: string) => ({ headers: { authorization: `Bearer ${key}` } })
