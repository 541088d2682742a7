import type { Browser } from 'playwright-core'
import { afterAll, afterEach, beforeAll, expect } from 'vitest'
import { openServedNode, type ServedNode, type ServedNodeOptions } from '../../../coordinator-node/test/served-node.ts'
import { openBrowser } from './browser.ts'
import { type OpenedPage, type OpenOptions, openPage } from './opened-page.ts'

/** One node and one browser for the tests of a file. */
export interface PageUnderTest {
  node(): ServedNode
  /** The JSON of a path of the node's API. */
  api<Body = readonly Record<string, unknown>[]>(path: string): Promise<Body>
  /** Opens a path of the page, or an address at which the node is reached in another way. After the test it is closed, and must have had no fault. */
  open(path: string, options?: OpenOptions): Promise<OpenedPage>
}

/** Call it in a `describe` that is skipped without a browser. */
export function usePage(options: ServedNodeOptions = {}): PageUnderTest {
  let node: ServedNode | undefined
  let browser: Browser | undefined
  const opened: OpenedPage[] = []
  const started = (): ServedNode => node ?? missing()
  beforeAll(async () => {
    const [aNode, aBrowser] = await Promise.all([openServedNode(options), openBrowser()])
    node = aNode
    browser = aBrowser
  })
  afterEach(async () => {
    const faults = opened.flatMap((one) => one.faults)
    await Promise.all(opened.splice(0).map((one) => one.close()))
    expect(faults).toEqual([])
  })
  afterAll(async () => {
    await browser?.close()
    await node?.close()
  })
  return {
    node: started,
    async api<Body>(path: string) {
      const response = await fetch(`${started().url}${path}`)
      return (await response.json()) as Body
    },
    async open(path, openOptions) {
      const page = await openPage(browser ?? missing(), new URL(path, started().url).href, openOptions)
      opened.push(page)
      return page
    },
  }
}

function missing(): never {
  throw new Error('the node and the browser exist only during a test')
}
