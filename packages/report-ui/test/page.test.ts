import { describe, expect, it } from 'vitest'
import { whyNoBrowser } from './set-up/browser.ts'
import { sizes, themes } from './set-up/opened-page.ts'
import { usePage } from './set-up/page-under-test.ts'

const isFullMatrix = process.env.PAGE_SCREENSHOTS === '1'
const routes = [
  ...['/', '/models', '/models/:id', '/rounds', '/rounds/:id', '/feeds'],
  ...['/checkpoints', '/checkpoints/:id', '/operations', '/about'],
]

describe.skipIf(whyNoBrowser !== null)(`the page${whyNoBrowser === null ? '' : ` (${whyNoBrowser})`}`, () => {
  const { api, open } = usePage()

  /** A path of the page with an id that exists. */
  async function pathOf(route: string): Promise<string> {
    const ids: Readonly<Record<string, () => Promise<unknown>>> = {
      models: async () => 'oracle',
      rounds: async () => (await api('/reports/predictions?limit=1'))[0]?.round_id,
      checkpoints: async () => (await api('/reports/checkpoints'))[0]?.id,
    }
    const id = await ids[route.split('/')[1] ?? '']?.()
    return route.replace(':id', encodeURIComponent(String(id)))
  }

  it.each(routes)('shows %s without a fault, to all readers', async (route) => {
    const path = await pathOf(route)
    const name = nameOf(route)
    const { page, settled, violations, screenshot } = await open(path)
    for (const theme of themes) {
      await page.emulateMedia({ colorScheme: theme })
      expect(await violations(), theme).toEqual([])
      for (const size of isFullMatrix ? (['phone', 'desktop', 'wall'] as const) : (['desktop'] as const)) {
        await page.setViewportSize(sizes[size])
        await settled()
        await screenshot(`${name}-${theme}-${size}`)
      }
    }
    // Nothing is wider than a phone.
    await page.setViewportSize(sizes.phone)
    await settled()
    expect(await page.evaluate('document.documentElement.scrollWidth')).toBeLessThanOrEqual(sizes.phone.width)
  })
})

describe.skipIf(whyNoBrowser !== null)('the page of a node that has received nothing', () => {
  const { open } = usePage({ isEmpty: true })

  it.each(routes.filter((route) => !route.includes(':')))('shows %s without a fault', async (route) => {
    const { page, violations, screenshot } = await open(route)
    expect(await violations()).toEqual([])
    expect((await page.locator('main').textContent())?.length).toBeGreaterThan(20)
    if (isFullMatrix) await screenshot(`empty-${nameOf(route)}`)
  })

  it.each([
    ['/models/nothing', /nothing|no such model|no model/i],
    ['/rounds/nothing', /nothing|no such round|no round/i],
    ['/checkpoints/nothing', /nothing|no such|no checkpoint/i],
    ['/models/%3Cscript%3E', /<script>|no model/i],
  ])('says that there is no %s', async (path, text) => {
    const { page, expectFault } = await open(path)
    await page.locator('main').getByText(text).first().waitFor()
    expectFault(/status of 404/)
  })
})

const nameOf = (route: string): string => (route === '/' ? 'leaderboard' : route.slice(1).replace('/:id', '-one'))
