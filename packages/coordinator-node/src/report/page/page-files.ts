import { createHash } from 'node:crypto'
import { existsSync } from 'node:fs'
import { readdir, readFile } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { dirname, extname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { gzip } from 'node:zlib'

export interface PageFile {
  readonly type: string
  readonly bytes: Uint8Array<ArrayBuffer>
  /** `null`: a form that is compressed already. */
  readonly gzipped: Uint8Array<ArrayBuffer> | null
  /** Weak: of the uncompressed bytes, for both forms. */
  readonly tag: string
}

/** The built page. Only what it lists is served, so no name can lead out of its folder. */
export interface PageFiles {
  readonly index: PageFile
  /** By name, without folder. Each name contains a hash of its content. */
  readonly assets: ReadonlyMap<string, PageFile>
}

const types: Readonly<Record<string, { readonly type: string; readonly isText: boolean }>> = {
  '.html': { type: 'text/html; charset=utf-8', isText: true },
  '.js': { type: 'text/javascript; charset=utf-8', isText: true },
  '.css': { type: 'text/css; charset=utf-8', isText: true },
  '.svg': { type: 'image/svg+xml', isText: true },
  '.png': { type: 'image/png', isText: false },
  '.woff2': { type: 'font/woff2', isText: false },
}

const compress = promisify(gzip)

/** The files of the page, compressed once; `null` while it has not been built. */
export async function readPage(folder: string): Promise<PageFiles | null> {
  if (!existsSync(join(folder, 'index.html'))) return null
  const names = await readdir(join(folder, 'assets'))
  const read = async (name: string) => [name, await readPageFile(join(folder, 'assets', name))] as const
  const [index, ...assets] = await Promise.all([readPageFile(join(folder, 'index.html')), ...names.map(read)])
  return { index, assets: new Map(assets) }
}

async function readPageFile(path: string): Promise<PageFile> {
  const form = types[extname(path)]
  if (form === undefined) {
    throw new Error(`${path} has no known type. Name the type of ${extname(path) || 'such'} files in page-files.ts`)
  }
  const bytes = new Uint8Array(await readFile(path))
  return {
    ...{ type: form.type, bytes, tag: `W/"${createHash('sha1').update(bytes).digest('base64url')}"` },
    gzipped: form.isText ? new Uint8Array(await compress(bytes, { level: 9 })) : null,
  }
}

/** The build of the engine contains the page; its sources use the build of the page's package. */
export function defaultPageFolder(): string {
  const built = fileURLToPath(new URL('./page', import.meta.url))
  if (existsSync(join(built, 'index.html'))) return built
  return join(dirname(createRequire(import.meta.url).resolve('@crunch/report-ui/package.json')), 'dist')
}
