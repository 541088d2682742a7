import { chmod, mkdir, mkdtemp, readFile, realpath, rm, writeFile } from 'node:fs/promises'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { runOnTerminal } from '../run-cli.fixture.ts'
import { openBrowser } from '../terminal/open-browser.ts'

const html = { status: 200, type: 'text/html; charset=utf-8', body: '<!doctype html>' }
let root: string
let server: Server
let address: string
let answer = html

beforeAll(async () => {
  root = await realpath(await mkdtemp(join(tmpdir(), 'crunch-open-')))
  await mkdir(join(root, 'node'))
  await mkdir(join(root, 'bin'))
  await writeFile(join(root, 'node/contract.ts'), '')
  server = createServer((_, response) =>
    response.writeHead(answer.status, { 'content-type': answer.type }).end(answer.body),
  )
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  address = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`
})
afterAll(async () => {
  server.close()
  await rm(root, { recursive: true, force: true })
})

/** A program under this name that writes its arguments to a file, one a line. */
async function fakeOpener(name: string, exitCode: number): Promise<void> {
  const path = join(root, 'bin', name)
  await writeFile(path, `#!/bin/sh\nprintf '%s\\n' "$@" > '${root}/arguments'\nexit ${exitCode}\n`)
  await chmod(path, 0o755)
}

const env = () => ({
  PATH: `${join(root, 'bin')}:/bin`,
  DISPLAY: ':0',
  REPORT_API_PORT: `${new URL(address).port}`,
})
const crunch = (argv: readonly string[], changes: Readonly<Record<string, string | undefined>> = {}) =>
  runOnTerminal(argv, { cwd: root, env: { ...env(), ...changes } })

it('prints the address of the page', async () => {
  expect(await crunch(['open', '--print'])).toEqual({ exitCode: 0, out: address, err: '' })
})

it.runIf(process.platform === 'linux')('opens the page in the browser, or says why it cannot', async () => {
  await fakeOpener('xdg-open', 0)
  expect(await crunch(['open'])).toEqual({ exitCode: 0, out: `The page: ${address}`, err: '' })
  expect(await readFile(join(root, 'arguments'), 'utf8')).toBe(`${address}\n`)
  await fakeOpener('xdg-open', 3)
  const failed = await crunch(['open'])
  expect([failed.exitCode, failed.out]).toEqual([1, `The page: ${address}`])
  expect(failed.err).toBe('No browser was opened: xdg-open failed (3). Open the address above in a browser.')
  expect((await crunch(['open'], { DISPLAY: undefined })).err).toContain('no graphical session')
  expect((await crunch(['open'], { PATH: '/nowhere' })).err).toContain('xdg-open cannot be started (ENOENT)')
})

it.runIf(process.platform !== 'win32').each([
  ['darwin', 'open', ''],
  ['win32', 'rundll32', 'url.dll,FileProtocolHandler\n'],
] as const)('passes the address on %s as one argument, which no shell reads', async (platform, name, before) => {
  await fakeOpener(name, 0)
  const hostile = 'http://127.0.0.1:1/?a=$(id)&b=%PATH%;c'
  const terminal = { env: env(), signal: new AbortController().signal }
  expect(await openBrowser(hostile, terminal, platform)).toBeNull()
  expect(await readFile(join(root, 'arguments'), 'utf8')).toBe(`${before}${hostile}\n`)
})

it('opens nothing that is not the page', async () => {
  answer = { status: 503, type: 'application/problem+json', body: '{"detail":"The page has not been built."}' }
  const unbuilt = await crunch(['open'])
  expect([unbuilt.exitCode, unbuilt.out]).toEqual([1, ''])
  expect(unbuilt.err).toContain('it shows no page: it answered 503: The page has not been built.')
  answer = { status: 404, type: 'text/plain', body: 'nothing here' }
  expect((await crunch(['open'])).err).toContain('it shows no page: it answered 404\n')
  answer = html
  const down = await crunch(['open'], { REPORT_API_PORT: '1' })
  expect(down.err).toContain('start it with: crunch deploy')
})
