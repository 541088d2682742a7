import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { text } from 'node:stream/consumers'
import { afterEach, describe, expect, it } from 'vitest'
import { fetchPackage } from './fetch-package.ts'
import { readIndexSettings } from './index-settings.ts'

const cleanups: (() => unknown)[] = []
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup()
})

const read = (pipSettings: readonly string[], source: NodeJS.ProcessEnv = {}) =>
  readIndexSettings({ pipSettings, source, defaultIndex: async () => 'http://default.example/simple' })

async function serve(handle: Parameters<typeof createServer>[1]): Promise<string> {
  const server = createServer(handle)
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  cleanups.push(() => server.close())
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`
}

describe("the operator's package index", () => {
  it("is the one that pip would use: its default, files, or environment; uv's variables come first", async () => {
    const indexesOf = async (...input: Parameters<typeof read>) =>
      (await read(...input)).indexes.map(({ href }) => href)
    expect(await indexesOf([])).toEqual(['http://default.example/simple'])
    const files = ["install.index-url='http://b.example/'", "global.index-url='http://a.example/'"]
    expect(await indexesOf(files)).toEqual(['http://b.example/'])
    const both = [
      ":env:.index-url='http://c.example/'",
      ...files,
      "global.extra-index-url='http://d.example/\\nhttp://e.example/'",
    ]
    expect(await indexesOf(both)).toEqual(['http://c.example/', 'http://d.example/', 'http://e.example/'])
    expect(await indexesOf(both, { UV_DEFAULT_INDEX: 'http://f.example/' })).toContain('http://f.example/')
    expect(await indexesOf(["global.no-index='true'"])).toEqual([])
  })

  it('may be absolute folders and pages; settings without effect are reported', async () => {
    const found = await read(["global.find-links='/wheels http://links.example/'", "global.platform='x'"])
    expect(found).toMatchObject({ linkFolders: ['/wheels'], ignored: ['platform'] })
    expect(found.linkPages.map(({ href }) => href)).toEqual(['http://links.example/'])
    await expect(read(["global.find-links='wheels'"])).rejects.toThrow('give an absolute path')
    await expect(read(["global.index-url='ftp://user:secret@host/'"])).rejects.toThrow(
      /^pip's setting index-url is not an http or https URL/,
    )
  })

  it('is reached with its password, through redirects, and through the proxy except for excluded hosts', async () => {
    const seen: string[] = []
    const index = await serve((request, response) => {
      seen.push(`${request.url} ${Buffer.from(request.headers.authorization?.slice(6) ?? '', 'base64')}`)
      if (request.url === '/old/') response.writeHead(302, { location: '/new/' }).end()
      else response.end('page')
    })
    const proxy = await serve((request, response) => {
      seen.push(`proxy ${new URL(request.url ?? '').pathname}`)
      response.end('by proxy')
    })
    const ask = async (url: string, source: NodeJS.ProcessEnv) => {
      const { connection } = await read([], source)
      return text((await fetchPackage(new URL(url), {}, connection)).body)
    }
    expect(await ask(`${index.replace('//', '//me:p%40ss@')}/old/`, {})).toBe('page')
    expect(seen).toEqual(['/old/ me:p@ss', '/new/ me:p@ss'])
    expect(await ask(`${index}/a/`, { http_proxy: proxy })).toBe('by proxy')
    expect(await ask(`${index}/a/`, { http_proxy: proxy, no_proxy: '127.0.0.1' })).toBe('page')
    expect(seen.slice(2)).toEqual(['proxy /a/', '/a/ '])
  })
})
