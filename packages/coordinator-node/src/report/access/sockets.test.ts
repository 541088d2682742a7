import { connect, type Socket } from 'node:net'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { type ReportServer, startReportServer } from '../start-report-server.ts'
import { accessUnderTest } from './access.testkit.ts'

// What only a real server shows: sockets, slow clients, and bodies that are not read.

const under = accessUnderTest()
const sockets: Socket[] = []
let server: ReportServer

beforeAll(async () => {
  server = await startReportServer({ app: under.app as never, port: 0 })
})
afterAll(async () => {
  for (const socket of sockets) socket.destroy()
  await server?.close()
})

const confirm = '/reports/checkpoints/1'
const host = 'Host: 127.0.0.1'

async function open(text: string): Promise<Socket> {
  const socket = connect(server.port, '127.0.0.1')
  // A server that gives a connection up may reset it.
  socket.on('error', () => undefined)
  sockets.push(socket)
  await new Promise((resolve) => socket.once('connect', resolve))
  socket.write(text)
  return socket
}

/** What the server sends until it ends the connection. */
async function answerTo(socket: Socket): Promise<string> {
  let text = ''
  socket.setEncoding('utf8')
  socket.on('data', (part) => {
    text += part
  })
  await new Promise((resolve) => socket.once('close', resolve))
  return text
}

it('knows by the socket that a request is from this machine, also through a key in the path', async () => {
  const change = await fetch(`${server.url}${confirm}`, { method: 'POST', body: '{"a":1}' })
  expect(await change.json()).toEqual({ viewer: { role: 'admin', by: 'loopback' }, body: '{"a":1}' })
  const headers = { 'x-forwarded-for': '127.0.0.1' }
  expect((await fetch(`${server.url}${confirm}`, { method: 'POST', headers })).status).toBe(403)
  expect(
    await answerTo(await open(`POST ${confirm} HTTP/1.1\r\nHost: evil.example\r\nConnection: close\r\n\r\n`)),
  ).toContain('403')
  expect(await answerTo(await open(`POST ${confirm} HTTP/1.0\r\n${host}\r\n\r\n`))).toContain('403')
  const key = await under.addKey('admin')
  under.time.monotonicMs += 2_000
  const wrapped = await fetch(`${server.url}/k/${key}${confirm}`, { method: 'POST', body: '{"a":2}' })
  expect(await wrapped.json()).toEqual({ viewer: { role: 'admin', by: 'key' }, body: '{"a":2}' })
  expect((await fetch(`${server.url}${confirm}`, { method: 'POST' })).status).toBe(401)
})

it('serves others beside two thousand idle connections, and closes the oldest of them', async () => {
  const idle = []
  for (let batch = 0; batch < 20; batch += 1)
    idle.push(...(await Promise.all(Array.from({ length: 100 }, () => open('')))))
  const first = idle[0] as Socket
  if (!first.closed) await new Promise((resolve) => first.once('close', resolve))
  expect((await fetch(`${server.url}/open`)).status).toBe(200)
  for (const socket of idle) socket.destroy()
})

it('answers a body that is too large before it has come, and ends the connection', async () => {
  const head = `POST ${confirm} HTTP/1.1\r\n${host}\r\nContent-Length: 10000000\r\n\r\n`
  const declared = await open(head)
  expect(await answerTo(declared)).toContain('413')
  const chunk = `10000\r\n${'x'.repeat(65_536)}\r\n`
  const chunked = await open(
    `POST ${confirm} HTTP/1.1\r\n${host}\r\nTransfer-Encoding: chunked\r\n\r\n${chunk.repeat(3)}`,
  )
  expect(await answerTo(chunked)).toContain('413')
})

it.each([
  ['a URL of 100 kB', `GET /open?a=${'x'.repeat(100_000)} HTTP/1.1\r\n${host}\r\n\r\n`, '431'],
  ['headers of 100 kB', `GET /open HTTP/1.1\r\n${host}\r\nA: ${'x'.repeat(100_000)}\r\n\r\n`, '431'],
  ['5,000 headers', `GET /open HTTP/1.1\r\n${host}\r\n${'a:\r\n'.repeat(5_000)}Connection: close\r\n\r\n`, '431'],
  ['no host', 'GET /open HTTP/1.1\r\nConnection: close\r\n\r\n', '400'],
  ['a host that is none', 'GET /open HTTP/1.1\r\nHost: a b\r\nConnection: close\r\n\r\n', '400'],
  ['a host with a name', 'GET /open HTTP/1.1\r\nHost: a@b\r\nConnection: close\r\n\r\n', '400'],
  ['no HTTP', 'hello\r\n\r\n', '400'],
  ['a NUL character in a header', `GET /open HTTP/1.1\r\n${host}\r\nX-Request-Id: a\u0000b\r\n\r\n`, '400'],
  [
    'two lengths',
    `POST ${confirm} HTTP/1.1\r\n${host}\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n`,
    '400',
  ],
])('refuses %s', async (_, text, status) => {
  const answer = await answerTo(await open(text))
  expect(answer.slice(0, 40)).toContain(` ${status} `)
  const [head = '', body = ''] = answer.split('\r\n\r\n', 2)
  const requestId = /^x-request-id: (.*)$/im.exec(head)?.[1]
  // The stand-in of the app has another form of errors.
  if (!/^content-type: application\/problem\+json/im.test(head))
    return expect(JSON.parse(body)).toHaveProperty('detail')
  expect(JSON.parse(body)).toMatchObject({ status: Number(status), detail: expect.any(String), request_id: requestId })
})

it('gives up slow headers, silent connections and slow bodies in bounded time', async () => {
  const patience = { headersMs: 300, requestMs: 600, checkMs: 50 }
  const slow = await startReportServer({ app: under.app as never, port: 0, patience })
  try {
    const at = (text: string) =>
      new Promise<string>((resolve) => {
        const socket = connect(slow.port, '127.0.0.1', () => socket.write(text))
        let got = ''
        socket.on('error', () => undefined)
        socket.on('data', (part) => {
          got += part
        })
        socket.on('close', () => resolve(got))
      })
    const answers = await Promise.all([
      at(''),
      at(`GET /open HTTP/1.1\r\n${host}\r\nX-Slow: `),
      at(`POST ${confirm} HTTP/1.1\r\n${host}\r\nContent-Length: 10\r\n\r\n1`),
    ])
    for (const answer of answers) expect(answer).toMatch(/^(HTTP\/1.1 40[81] |$)/)
    // Also to the second request of a connection, and with a body.
    expect(await at(`GET /open HTTP/1.1\r\n${host}\r\n\r\nGET /open HTTP/1.1\r\nA:`)).toMatch(
      /^HTTP\/1.1 200 .*HTTP\/1.1 408 /s,
    )
    expect(answers[1]).toContain('"detail":"The request was not sent in time."')
  } finally {
    await slow.close()
  }
})
