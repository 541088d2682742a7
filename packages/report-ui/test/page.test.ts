import type { Page } from 'playwright-core'
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
    for (const [index, theme] of themes.entries()) {
      await page.emulateMedia({ colorScheme: theme })
      // The themes differ in their colours only.
      expect(await violations(index === 0 ? undefined : ['color-contrast']), theme).toEqual([])
      for (const size of isFullMatrix ? (['phone', 'desktop', 'wall'] as const) : []) {
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

  it('is walked through by keyboard alone, and the focus is always seen', async () => {
    const { page, settled } = await open('/')
    const { reach, press, focused } = keyboardOf(page)
    const path = () => page.evaluate('location.pathname')

    await reach('Skip to the content')
    await press('Enter')
    expect(await page.evaluate('document.activeElement.id')).toBe('content')

    // The table sorts by a column; the button that takes it back goes with its work, and the focus stays on the page.
    const header = page.getByRole('columnheader', { name: 'Cruncher' })
    await reach('Cruncher')
    await press('Enter')
    expect([await header.getAttribute('aria-sort'), await focused()]).toEqual(['descending', 'Cruncher ↓'])
    await reach('By rank again', 'Shift+Tab')
    await press('Enter')
    await page.getByRole('button', { name: 'By rank again' }).waitFor({ state: 'detached' })
    expect([await header.getAttribute('aria-sort'), await focused()]).toEqual([null, 'content'])

    await reach('Leaderboard', 'Shift+Tab')
    const pages = page.getByRole('navigation', { name: 'Pages' })
    for (const title of await pages.locator('a').allTextContents()) {
      if (title !== 'Leaderboard') await reach(title, 'Tab', 1)
      await press('Enter')
      await settled()
      expect([await pages.locator('[aria-current]').textContent(), await focused()]).toEqual([title, title])
    }

    await press('/')
    await page.keyboard.type('e')
    const found = page.getByRole('option', { selected: true })
    const first = await found.textContent()
    await press('ArrowDown')
    expect(await found.textContent()).not.toBe(first)
    await press('Escape')
    await found.waitFor({ state: 'detached' })
    await page.keyboard.type('oracle')
    await press('Enter')
    expect([await path(), await focused()]).toEqual(['/models/oracle', 'content'])
    await settled()

    // A chart is read value by value, and as a table.
    await reach(/Arrow keys read single values/)
    const chart = page.locator('figure:focus-within')
    await press('t')
    await chart.getByRole('table').waitFor()
    expect(await focused()).toBe('Table')
    await press('t')
    await chart.getByRole('img').first().waitFor()
    await reach(/Arrow keys read single values/)
    const readout = chart.locator('.readout')
    const newest = await readout.textContent()
    // The drawing comes with its own file, after the focus can be on its place.
    const stepBack = async () => {
      await press('ArrowLeft')
      return readout.textContent()
    }
    await expect.poll(stepBack).not.toBe(newest)

    await reach(/^Why this score/)
    const asked = await focused()
    await press('Enter')
    await page.getByRole('dialog').waitFor()
    expect(await page.evaluate(`document.activeElement.closest('dialog') !== null`)).toBe(true)
    await press('Escape')
    await page.getByRole('dialog').waitFor({ state: 'detached' })
    expect([await page.evaluate('location.search'), await focused()]).toEqual(['', asked])
    // A link that opens another page goes with its page.
    await reach(/./, 'Shift+Tab', 1)
    await reach('next-move', 'Shift+Tab')
    await press('Enter')
    expect([await path(), await focused()]).toEqual(['/', 'next-move'])
    await settled()
    await reach('always-up')
    await press('Enter')
    await settled()
    expect([await path(), await focused()]).toEqual(['/models/flat', 'content'])
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

function keyboardOf(page: Page) {
  const press = (key: string) => page.keyboard.press(key)
  /** The name of the element that has the focus, and whether a reader sees that it has. */
  const focused = () =>
    page.evaluate(`(() => {
      const element = document.activeElement
      if (element === document.body) return 'nothing'
      if (element.id === 'content') return 'content'
      const isSeen = element.matches(':focus-visible') && getComputedStyle(element).outlineStyle !== 'none'
      return (isSeen ? '' : 'unseen: ') + (element.getAttribute('aria-label') ?? element.textContent).trim()
    })()`) as Promise<string>
  /** Presses a key until the element with that name has the focus. */
  async function reach(name: string | RegExp, key = 'Tab', most = 120): Promise<void> {
    const passed: string[] = []
    while (passed.length < most) {
      await press(key)
      const now = await focused()
      if (typeof name === 'string' ? now === name : name.test(now)) return
      passed.push(now)
    }
    throw new Error(`${name} is not reached by ${key}, only ${passed.join(' | ')}`)
  }
  return { press, focused, reach }
}

const nameOf = (route: string): string => (route === '/' ? 'leaderboard' : route.slice(1).replace('/:id', '-one'))
