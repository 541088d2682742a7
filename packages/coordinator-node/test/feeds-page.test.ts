import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { expect, onTestFinished, test } from 'vitest'
import type { FeedDefinition } from '../src/contract/feed-definition.ts'
import { silentLog } from '../src/ports/log.ts'

/** The example of docs/feeds.md as a module, with a local server instead of its provider. */
async function importExample(providerUrl: string): Promise<{ readonly load: FeedDefinition }> {
  const page = readFileSync(fileURLToPath(new URL('../../../docs/feeds.md', import.meta.url)), 'utf8')
  const example = /```ts\n([\s\S]*?)```/.exec(page)?.[1] ?? ''
  const here = (path: string) => new URL(path, import.meta.url).href
  const code = example
    .replace('https://api.example.org', providerUrl)
    .replace("'@crunch/coordinator-node/feeds'", `'${here('../src/feeds.ts')}'`)
    .replace("'@crunch/coordinator-node'", `'${here('../src/index.ts')}'`)
    .replace("'zod'", `'${import.meta.resolve('zod')}'`)
  const folder = mkdtempSync(join(tmpdir(), 'feeds-page-'))
  onTestFinished(() => rmSync(folder, { recursive: true }))
  writeFileSync(join(folder, 'feed.mjs'), code)
  return import(/* @vite-ignore */ pathToFileURL(join(folder, 'feed.mjs')).href)
}

test('the example of docs/feeds.md converts answers of its provider into records', async () => {
  const at = Date.UTC(2026, 2, 1, 10)
  const seen: unknown[] = []
  const server = createServer((request, response) => {
    seen.push(request.url, request.headers.authorization)
    response.end(JSON.stringify({ data: [{ at: '2026-03-01T10:00:00Z', load: { mw: 51_200 } }] }))
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  onTestFinished(() => {
    server.close()
    server.closeAllConnections()
  })
  const { load } = await importExample(`http://127.0.0.1:${(server.address() as AddressInfo).port}`)
  const source = load.from?.({ env: { GRID_TOKEN: 't' }, log: silentLog })
  const scope = { source: load.source, subject: 'DE', kind: load.kind, granularity: load.granularity }
  const records = []
  for await (const page of source?.history?.(scope, at, at + 1, AbortSignal.timeout(10_000)) ?? [])
    records.push(...page)
  expect(records).toEqual([{ ...scope, eventAt: at, knownAt: at + 1_800_000, values: { megawatts: 51_200 } }])
  expect(load.values.parse(records[0]?.values)).toEqual({ megawatts: 51_200 })
  expect(seen).toEqual(['/load?area=DE&from=2026-03-01T10%3A00%3A00Z&to=2026-03-01T10%3A00%3A01Z', 'Bearer t'])
})
