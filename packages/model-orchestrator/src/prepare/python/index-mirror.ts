import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { pipeline } from 'node:stream/promises'
import { errorText } from '@crunch/local-processes/errors'
import { fetchPackage } from './fetch-package.ts'
import type { IndexSettings } from './index-settings.ts'
import type { PackageCache } from './package-cache.ts'
import { requirementName } from './python-requirements.ts'

const MAX_PAGE_BYTES = 64 * 1024 * 1024
const PAGE_TYPES = 'application/vnd.pypi.simple.v1+html, text/html;q=0.9'

/** Serves the operator's package indexes to one installation. */
export interface IndexMirror {
  /** The paths of the indexes and link pages that it serves. */
  readonly indexPaths: readonly string[]
  readonly linkPaths: readonly string[]
  /** Null when it listens on a socket in the file system. */
  readonly port: number | null
  /** The error of the newest failed request that has not succeeded since; null if there is none. */
  problem(): string | null
  close(): Promise<void>
}

export interface MirrorOptions {
  readonly settings: IndexSettings
  /** Allowed SHA-256 hashes by the name of a package. */
  readonly hashes: ReadonlyMap<string, ReadonlySet<string>>
  readonly cache: PackageCache
  /** A path of a socket, or null for a free port on loopback. */
  readonly socket: string | null
}

/**
 * Serves the pages of the operator's package indexes, and the files that they link to, at its own addresses. An installation
 * that can reach only this server can read packages, but cannot send requests elsewhere and never sees an index password. For
 * packages in `hashes`, only files with these hashes are served.
 */
export async function startIndexMirror(input: MirrorOptions): Promise<IndexMirror> {
  const { settings, hashes, cache } = input
  const files = createFileAddresses()
  // By path: a later request for the same page may succeed.
  const problems = new Map<string, string>()

  async function serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    // A request through a proxy contains the whole URL.
    const { pathname } = new URL(request.url ?? '/', 'http://mirror')
    const [, kind, number = '', name = '', rest] = pathname.split('/')
    const at = /^\d{1,9}$/.test(number) ? Number(number) : -1
    const [index, links, file] = [settings.indexes[at], settings.linkPages[at], files.at(at)]
    const isName = /^[A-Za-z0-9._-]+$/.test(name)
    if (request.method !== 'GET' && request.method !== 'HEAD') response.writeHead(405).end()
    else if (kind === 'simple' && index && isName && !rest) {
      await servePage(below(index, name), hashes.get(requirementName(name)), response)
    } else if (kind === 'links' && links && !name) await servePage(links, undefined, response)
    else if (kind === 'file' && file) {
      await serveFile(file, name.endsWith('.metadata'), { settings, cache, response })
    } else response.writeHead(404).end()
  }

  async function servePage(page: URL, allowed: ReadonlySet<string> | undefined, response: ServerResponse) {
    const answer = await fetchPackage(page, { accept: PAGE_TYPES }, settings.connection)
    if (answer.status !== 200) {
      answer.body.resume()
      if (answer.status !== 404) problems.set(pathOf(response), `${page.host} answered with status ${answer.status}`)
      response.writeHead(answer.status).end()
      return
    }
    const html = await readText(answer.body)
    problems.delete(pathOf(response))
    response.writeHead(200, { 'content-type': 'text/html; charset=utf-8' })
    response.end(rewriteLinks(html, answer.url, page, allowed, files.addressOf))
  }

  const server = createServer((request, response) => {
    serve(request, response).catch((error: unknown) => {
      problems.set(pathOf(response), errorText(error))
      if (response.headersSent) response.destroy()
      else response.writeHead(502, { 'content-type': 'text/plain' }).end('the package index cannot be reached\n')
    })
  })
  await listen(server, input.socket)
  return {
    indexPaths: settings.indexes.map((_, index) => `/simple/${index}/`),
    linkPaths: settings.linkPages.map((_, index) => `/links/${index}/`),
    port: input.socket === null ? (server.address() as AddressInfo).port : null,
    problem: () => [...problems.values()].at(-1) ?? null,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve())
        server.closeAllConnections()
      }),
  }
}

function pathOf(response: ServerResponse): string {
  return response.req.url ?? ''
}

function listen(server: Server, socket: string | null): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject)
    if (socket === null) server.listen(0, '127.0.0.1', resolve)
    else server.listen(socket, resolve)
  })
}

/** Numbers the files that pages link to; only these are served. */
function createFileAddresses() {
  const files: URL[] = []
  const numbers = new Map<string, number>()
  return {
    at: (number: number): URL | undefined => files[number],
    addressOf(file: URL): string {
      const known = numbers.get(file.href)
      const number = known ?? files.push(file) - 1
      numbers.set(file.href, number)
      return `/file/${number}/${file.pathname.split('/').at(-1) ?? ''}${file.hash}`
    },
  }
}

async function serveFile(
  file: URL,
  isMetadata: boolean,
  { settings, cache, response }: Pick<MirrorOptions, 'settings' | 'cache'> & { readonly response: ServerResponse },
): Promise<void> {
  const source = new URL(file)
  source.hash = ''
  if (isMetadata) source.pathname += '.metadata'
  const sha256 = isMetadata ? undefined : /^#sha256=([0-9a-f]{64})$/i.exec(file.hash)?.[1]?.toLowerCase()
  let cached = sha256 === undefined ? null : await cache.read(sha256)
  if (cached === null) {
    const answer = await fetchPackage(source, { accept: '*/*', 'accept-encoding': 'identity' }, settings.connection)
    if (answer.status !== 200 || sha256 === undefined) {
      const length = answer.body.headers['content-length']
      response.writeHead(answer.status, length === undefined ? {} : { 'content-length': length })
      await pipeline(answer.body, response)
      return
    }
    await cache.write(sha256, answer.body)
    cached = await cache.read(sha256)
  }
  if (cached === null) throw new Error(`${source.pathname} was removed from the cache while it was read`)
  response.writeHead(200, { 'content-length': cached.bytes })
  await pipeline(cached.stream, response)
}

function below(index: URL, name: string): URL {
  const page = new URL(index)
  page.pathname = `${page.pathname.replace(/\/+$/, '')}/${name}/`
  return page
}

async function readText(body: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = []
  let bytes = 0
  for await (const chunk of body) {
    bytes += chunk.length
    if (bytes > MAX_PAGE_BYTES) throw new Error(`a page of the package index is larger than ${MAX_PAGE_BYTES} bytes`)
    chunks.push(chunk)
  }
  return Buffer.concat(chunks).toString('utf8')
}

const LINK = /<a\b[^>]*>/gi
const HREF = /\bhref\s*=\s*(?:"([^"]*)"|'([^']*)')/i

/** Rewrites links to our addresses; if hashes are given, drops links without one of them. */
function rewriteLinks(
  html: string,
  base: URL,
  asked: URL,
  allowed: ReadonlySet<string> | undefined,
  addressOf: (file: URL) => string,
): string {
  const links = (html.match(LINK) ?? []).flatMap((tag) => {
    const [, double, single] = HREF.exec(tag) ?? []
    const href = (double ?? single)?.replaceAll('&amp;', '&')
    if (href === undefined || !URL.canParse(href, base.href)) return []
    const file = new URL(href, base)
    if (!/^https?:$/.test(file.protocol)) return []
    if (allowed !== undefined && !allowed.has(/^#sha256=([0-9a-f]{64})$/i.exec(file.hash)?.[1]?.toLowerCase() ?? '')) {
      return []
    }
    // The files of an index with a password need the same password.
    if (file.host === asked.host && file.username === '') {
      file.username = asked.username
      file.password = asked.password
    }
    const name = decodeURIComponent(file.pathname.split('/').at(-1) ?? '')
    return [`${tag.replace(HREF, () => `href="${addressOf(file)}"`)}${escapeHtml(name)}</a><br>`]
  })
  return `<!DOCTYPE html><html><body>\n${links.join('\n')}\n</body></html>\n`
}

function escapeHtml(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;')
}
