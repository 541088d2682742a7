import { execFile } from 'node:child_process'
import { createHash } from 'node:crypto'
import { readdir, readFile } from 'node:fs/promises'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'

const MAKE = fileURLToPath(new URL('./make-packages.py', import.meta.url))

/** A package index on loopback with a password, and a second server that must never get a request. */
export async function startPackageIndex(folder: string, attack: string) {
  const elsewhere: string[] = []
  const foreign = createServer((request, response) => {
    elsewhere.push(request.url ?? '')
    response.writeHead(404).end()
  })
  const foreignPort = await listen(foreign)
  await promisify(execFile)('python3', ['-I', MAKE, folder, attack, `http://127.0.0.1:${foreignPort}`])
  const files = await readdir(folder)
  const asked: string[] = []
  const authorization = `Basic ${Buffer.from('operator:hunter2').toString('base64')}`
  const server = createServer(async (request, response) => {
    if (request.headers.authorization !== authorization) return response.writeHead(401).end()
    const [, kind, name = ''] = (request.url ?? '').split('/')
    asked.push(`${kind}/${name}`)
    if (kind === 'files' && files.includes(name)) return response.end(await readFile(join(folder, name)))
    const own = files.filter((file) => file.replaceAll('_', '-').startsWith(`${name}-1`))
    if (kind !== 'simple' || own.length === 0) return response.writeHead(404).end()
    const links = await Promise.all(
      own.map(async (file) => {
        const hash = createHash('sha256')
          .update(await readFile(join(folder, file)))
          .digest('hex')
        return `<a href="../../files/${file}#sha256=${hash}">${file}</a>`
      }),
    )
    return response.writeHead(200, { 'content-type': 'text/html' }).end(links.join('\n'))
  })
  const port = await listen(server)
  return {
    url: `http://operator:hunter2@127.0.0.1:${port}/simple/`,
    port,
    foreignPort,
    /** The requests to the index, and to the other server. */
    asked,
    elsewhere,
    hashOf: async (file: string) =>
      createHash('sha256')
        .update(await readFile(join(folder, file)))
        .digest('hex'),
    close() {
      server.close()
      foreign.close()
    },
  }
}

async function listen(server: ReturnType<typeof createServer>): Promise<number> {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return (server.address() as AddressInfo).port
}
