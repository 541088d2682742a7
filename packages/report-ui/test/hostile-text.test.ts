import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { Page } from 'playwright-core'
import { describe, expect, it } from 'vitest'
import { minute } from '../../coordinator-node/src/ports/store-samples.ts'
import { whyNoBrowser } from './set-up/browser.ts'
import { usePage } from './set-up/page-under-test.ts'

const attack = `javascript:window.attacked=1//"'><img src=x onerror="window.attacked=1"><script>window.attacked=1</script>`
const names = [
  '<b>bold</b><img src=x onerror="window.attacked=1">',
  '🐉 龍 émoji 👩‍👩‍👧‍👦',
  'שלום عالم \u202eevil\u202c',
  'x'.repeat(200),
  `${'long words '.repeat(18)}`.trim(),
]
const paths = ['/', '/models', '/models/oracle', '/rounds', '/feeds', '/checkpoints', '/operations', '/about']

/** What makes the document wider than the window. */
const tooWide = `document.documentElement.scrollWidth <= innerWidth ? [] : [...document.querySelectorAll('main *')]
  .filter((element) => element.getBoundingClientRect().right > innerWidth)
  .slice(0, 5).map((element) => element.outerHTML.slice(0, 150))`

interface Schema {
  readonly type?: string | readonly string[]
  readonly enum?: unknown
  readonly const?: unknown
  readonly format?: string
  readonly properties?: Readonly<Record<string, Schema>>
}

describe.skipIf(whyNoBrowser !== null)(`text of others${whyNoBrowser === null ? '' : ` (${whyNoBrowser})`}`, () => {
  const { node, api, open } = usePage()

  /** Names of fields that hold no free text in some schema: times, constants and one of several words. */
  async function fixedFields(): Promise<ReadonlySet<string>> {
    const found = new Set<string>(['now'])
    const visit = (value: unknown): void => {
      if (typeof value !== 'object' || value === null) return
      for (const [name, schema] of Object.entries((value as Schema).properties ?? {})) {
        if (/"(enum|const|format|pattern)":/.test(JSON.stringify(schema))) found.add(name)
      }
      for (const part of Object.values(value)) visit(part)
    }
    visit(await api<object>('/openapi.json'))
    return found
  }

  function poison(value: unknown, fixed: ReadonlySet<string>, name = ''): unknown {
    if (Array.isArray(value)) return value.map((one) => poison(one, fixed, name))
    if (typeof value === 'object' && value !== null) {
      return Object.fromEntries(Object.entries(value).map(([key, one]) => [key, poison(one, fixed, key)]))
    }
    if (typeof value !== 'string' || fixed.has(name) || /^\d{4}-\d\d-\d\dT/.test(value)) return value
    return `${attack}${value}`
  }

  const expectHarmless = async (page: Page) => {
    expect(await page.evaluate('window.attacked')).toBeUndefined()
    expect(await page.locator('img[src="x"], main script, a[href^="javascript:" i]').count()).toBe(0)
  }

  /** The node behind a server that puts an attack into every text of its answers. */
  async function servePoisoned(): Promise<{ readonly url: string; close(): void }> {
    const fixed = await fixedFields()
    expect(fixed.size).toBeGreaterThan(20)
    const server = createServer(async (request, response) => {
      if (request.url === '/reports/stream')
        return response.writeHead(200, { 'content-type': 'text/event-stream' }).write(': ')
      const answer = await fetch(`${node().url}${request.url}`)
      const headers = ['content-type', 'content-security-policy'].map((name) => [name, answer.headers.get(name) ?? ''])
      response.writeHead(answer.status, Object.fromEntries(headers))
      const isJson = answer.headers.get('content-type')?.includes('json') === true
      response.end(
        isJson ? JSON.stringify(poison(await answer.json(), fixed)) : Buffer.from(await answer.arrayBuffer()),
      )
    })
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    const close = (): void => {
      server.closeAllConnections()
      server.close()
    }
    return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, close }
  }

  it('in any field of the API never becomes a part of a page', async () => {
    const poisoned = await servePoisoned()
    try {
      for (const path of paths) {
        const { page, faults, close } = await open(`${poisoned.url}${path}`)
        await page.getByText('javascript:window.attacked').first().waitFor()
        await expectHarmless(page)
        // A panel may say that it cannot read such an answer; a script or a broken policy is a fault.
        expect(
          faults.filter((fault) => /policy|attacked/.test(fault)),
          path,
        ).toEqual([])
        faults.length = 0
        await close()
      }
    } finally {
      poisoned.close()
    }
  })

  it('in the names of models is shown as it is, and makes nothing wider than the screen', async () => {
    const models = names.map((name, index) => ({
      ...{ id: `hostile-${index}`, name, deploymentId: `deployment-${index}` },
      ...{ cruncherId: `cruncher-${index}`, cruncherName: name },
    }))
    const { page, settled } = await open('/models', { size: 'phone' })
    // The page hears of them while it is open.
    await node().store.registerModels(models, minute(95))
    for (const name of names) await page.getByText(name, { exact: true }).first().waitFor({ state: 'attached' })
    for (const path of ['/models', ...models.map(({ id }) => `/models/${id}`)]) {
      await page.goto(`${node().url}${path}`)
      await settled()
      await expectHarmless(page)
      expect(await page.evaluate(tooWide), path).toEqual([])
    }
  })
})
