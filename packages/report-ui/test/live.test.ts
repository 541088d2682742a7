import type { Page } from 'playwright-core'
import { describe, expect, it } from 'vitest'
import { startSocketProxy } from '../../coordinator-node/test/socket-proxy.ts'
import { whyNoBrowser } from './set-up/browser.ts'
import { usePage } from './set-up/page-under-test.ts'

interface BoardRow {
  readonly model_name: string
  readonly rank: number | null
}

describe.skipIf(whyNoBrowser !== null)(
  `a page that is open${whyNoBrowser === null ? '' : ` (${whyNoBrowser})`}`,
  () => {
    const { node, api, open } = usePage({ settings: { API_KEY: 'organizer-key' } })

    const rankedNames = async () =>
      (await api<readonly BoardRow[]>('/reports/leaderboard'))
        .filter(({ rank }) => rank !== null)
        .map((row) => row.model_name)
    const shownNames = (page: Page) =>
      page.getByRole('table', { name: 'Ranked models' }).locator('[data-key] a[href^="/models/"]').allTextContents()
    const shows = (page: Page, names: readonly string[]) =>
      expect.poll(() => shownNames(page), { timeout: 30_000 }).toEqual(names)
    const alarm = (page: Page) => page.getByRole('alert')
    const feedWord = (page: Page) => page.locator('.strip-facts a[href="/feeds"]')

    /** Replays until the order of the board has changed, and returns it. */
    async function changeBoard(): Promise<readonly string[]> {
      const before = await rankedNames()
      for (let round = 0; round < 6; round += 1) {
        await node().advance(10)
        const after = await rankedNames()
        if (after.join() !== before.join()) return after
      }
      throw new Error(`the order of the board stays ${before}: the recording no longer changes it`)
    }

    it('moves its rows when the board changes, without being loaded again', async () => {
      const { page } = await open('/', { motion: 'no-preference' })
      await shows(page, await rankedNames())
      await page.evaluate('window.wasLoaded = true')
      await shows(page, await changeBoard())
      expect(await page.evaluate('window.wasLoaded')).toBe(true)
    })

    it('says that its connection is cut, and goes on from the last event when it is back', async () => {
      const { hostname: host, port } = new URL(node().url)
      const proxy = await startSocketProxy({ host, port: Number(port) }, { host, port: 0 })
      try {
        const { page, expectFault } = await open(`http://${host}:${proxy.port}/`)
        await shows(page, await changeBoard())
        const resumed = page.waitForRequest((request) => request.headers()['last-event-id'] !== undefined)
        proxy.hold()
        proxy.cut('both')
        await alarm(page).getByText('Changes do not arrive').waitFor()
        const after = await changeBoard()
        proxy.release()
        expect((await resumed).url()).toContain('/reports/stream')
        await shows(page, after)
        await alarm(page).waitFor({ state: 'detached' })
        expectFault(/net::ERR_/)
      } finally {
        await proxy.close()
      }
    })

    it('says that the node does not answer, and shows what is new once it runs again', async () => {
      const { page, expectFault } = await open('/')
      const before = await rankedNames()
      await shows(page, before)
      await node().stop()
      await alarm(page).getByText('The node does not answer').waitFor()
      // What was known stays.
      expect(await shownNames(page)).toEqual(before)
      await node().advance(30)
      await node().start()
      await shows(page, await rankedNames())
      await alarm(page).waitFor({ state: 'detached' })
      expectFault(/net::ERR_/)
    })

    it('says on every page that a feed is frozen, and when it is up again', async () => {
      const { page } = await open('/about')
      const scope = { source: 'binance', subject: 'BTCUSDT', kind: 'candle', granularity: '1m' }
      const [{ now }] = [await api<{ readonly now: string }>('/info')]
      await expect.poll(() => feedWord(page).textContent()).toContain('up')
      await node().store.putFeedStatus(scope, 'frozen', 'the price has not changed for 12 candles', Date.parse(now))
      await expect.poll(() => feedWord(page).textContent()).toContain('frozen')
      await page.getByText('the price has not changed for 12 candles').first().waitFor()
      await node().store.putFeedStatus(scope, 'up', null, Date.parse(now))
      await expect.poll(() => feedWord(page).textContent()).toContain('up')
    })

    it('refuses a wrong key with a reason, keeps what is public, and takes the right one afterwards', async () => {
      const { page, expectFault } = await open('/')
      const names = await rankedNames()
      const give = async (key: string) => {
        await page.getByRole('button', { name: 'Key', exact: true }).click()
        await page.getByRole('dialog').getByLabel('Key', { exact: true }).fill(key)
        await page.getByRole('dialog').getByRole('button', { name: 'Use key' }).click()
      }
      await give('crunch_wrong')
      await page.getByRole('dialog').getByText('The key is not valid').waitFor()
      expect(await page.evaluate(`sessionStorage.getItem('crunch-key') ?? ''`)).toBe('')
      await page.keyboard.press('Escape')
      await shows(page, names)
      await give('organizer-key')
      await page.getByRole('button', { name: 'Key in use' }).waitFor()
      await shows(page, names)
      expectFault(/status of 401/)
    })

    it('forgets a kept key that has ended, and says so', async () => {
      const { page, expectFault } = await open('/', { key: 'crunch_revoked' })
      await page.getByRole('button', { name: 'Key refused' }).waitFor()
      expect(await page.evaluate(`sessionStorage.getItem('crunch-key') ?? ''`)).toBe('')
      await shows(page, await rankedNames())
      await page.locator('.strip-facts').getByText('live').waitFor()
      expectFault(/status of (401|429)/)
    })
  },
)
