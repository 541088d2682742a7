import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import axe from 'axe-core'
import type { Browser, BrowserContextOptions, Page } from 'playwright-core'

export const sizes = {
  phone: { width: 360, height: 740 },
  desktop: { width: 1440, height: 900 },
  wall: { width: 3840, height: 2160 },
} as const
export const themes = ['dark', 'light'] as const
export type Theme = (typeof themes)[number]

export interface OpenOptions {
  readonly size?: keyof typeof sizes
  readonly theme?: Theme
  /** A key of the API, as if the reader had entered it. */
  readonly key?: string
  /** Default: reduce, so that nothing moves while a test looks. */
  readonly motion?: NonNullable<BrowserContextOptions['reducedMotion']>
}

/** A page in its own browser profile. */
export interface OpenedPage {
  readonly page: Page
  /** What must not happen: errors in the console, violations of the policy, requests to other hosts. Expected ones are taken out by `expectFault`. */
  readonly faults: string[]
  /** Removes faults that a test provokes, e.g. the 401 of a wrong key, which browsers log. */
  expectFault(pattern: RegExp): void
  /** Waits until everything that the page asked for is shown. */
  settled(): Promise<void>
  /** What axe-core finds by these rules (absent: by all), one line a rule. */
  violations(rules?: readonly string[]): Promise<readonly string[]>
  /** Writes `screenshots/NAME.png`. */
  screenshot(name: string): Promise<void>
  close(): Promise<void>
}

const folder = fileURLToPath(new URL('../../screenshots', import.meta.url))

/** Opens a path of a node's page and waits until it is complete. */
export async function openPage(browser: Browser, url: string, options: OpenOptions = {}): Promise<OpenedPage> {
  const { size = 'desktop', theme = 'dark', motion = 'reduce', key } = options
  const context = await browser.newContext({
    ...{ viewport: sizes[size], colorScheme: theme, reducedMotion: motion, timezoneId: 'UTC', locale: 'en-GB' },
  })
  // As long as the polls of all tests: the machine may be busy.
  context.setDefaultTimeout(60_000)
  const page = await context.newPage()
  const faults: string[] = []
  page.on('pageerror', (error) => faults.push(`exception: ${error.stack ?? error.message}`))
  page.on('console', (message) => {
    const { url: place } = message.location()
    // The answer of a node that is not well is 503 by design, which browsers log.
    const isHealth = /\/(healthz|readyz)$/.test(place) && message.text().includes('status of 503')
    if (['error', 'warning'].includes(message.type()) && !isHealth) faults.push(`${message.text()} (${place})`)
  })
  const { origin } = new URL(url)
  page.on('request', (request) => {
    const sent = request.url()
    if (!sent.startsWith(`${origin}/`) && !sent.startsWith('data:')) faults.push(`request to another host: ${sent}`)
  })
  await page.addInitScript(
    `document.addEventListener('securitypolicyviolation', (event) =>
      console.error('policy: ' + event.violatedDirective + ' ' + event.blockedURI + ' ' + event.sample))`,
  )
  if (key !== undefined) await page.addInitScript(`sessionStorage.setItem('crunch-key', ${JSON.stringify(key)})`)
  await page.goto(url)
  const opened: OpenedPage = {
    ...{ page, faults },
    expectFault(pattern) {
      const others = faults.filter((fault) => !pattern.test(fault))
      faults.splice(0, faults.length, ...others)
    },
    async settled() {
      await page.locator('main *').first().waitFor()
      await page.locator('[aria-busy="true"], .skeleton').first().waitFor({ state: 'detached' })
    },
    async violations(rules) {
      // Not a script of the page, so its policy does not apply.
      await page.evaluate(axe.source)
      const options = { resultTypes: ['violations'], ...(rules === undefined ? {} : { runOnly: rules }) }
      const result = await page.evaluate(`axe.run(document, ${JSON.stringify(options)})`)
      const { violations } = result as { violations: readonly AxeViolation[] }
      return violations.map(({ id, help, nodes }) => {
        const { target = [], failureSummary = '' } = nodes[0] ?? {}
        return `${id}: ${help}: ${nodes.length} elements, such as ${target.join(' ')}: ${failureSummary}`
      })
    },
    async screenshot(name) {
      await mkdir(folder, { recursive: true })
      await page.screenshot({ path: join(folder, `${name}.png`) })
    },
    close: () => context.close(),
  }
  await opened.settled()
  return opened
}

interface AxeViolation {
  readonly id: string
  readonly help: string
  readonly nodes: readonly { readonly target: readonly string[]; readonly failureSummary: string }[]
}
