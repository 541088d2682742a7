import { existsSync } from 'node:fs'
import { delimiter, join } from 'node:path'
import { type Browser, chromium } from 'playwright-core'

const program = (process.env.PATH ?? '')
  .split(delimiter)
  .map((folder) => join(folder, 'chromium'))
  .find((path) => existsSync(path))

/** Why the page cannot be tested here; `null`: it can. CI always can, or fails. */
export const whyNoBrowser =
  program === undefined && process.env.CI !== 'true'
    ? 'there is no chromium: apt-get install --no-install-recommends chromium'
    : null

/** Starts Debian's Chromium. */
export function openBrowser(): Promise<Browser> {
  if (program === undefined) throw new Error('There is no chromium on the path. Install the package chromium.')
  // Chromium refuses to sandbox processes of root.
  const sandbox = process.getuid?.() === 0 ? ['--no-sandbox'] : []
  return chromium.launch({
    executablePath: program,
    args: [...sandbox, '--disable-gpu', '--disable-dev-shm-usage'],
  })
}
