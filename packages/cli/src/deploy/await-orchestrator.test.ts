import { once } from 'node:events'
import { createServer, type Server } from 'node:net'
import { afterEach, expect, it, onTestFinished } from 'vitest'
import { openWeatherWorkspace } from '../local-model/weather-workspace.fixture.ts'
import { runOnTerminal } from '../run-cli.fixture.ts'
import { awaitOrchestrator } from './await-orchestrator.ts'

const servers: Server[] = []
afterEach(() => {
  for (const server of servers.splice(0)) server.close()
})

async function listen(port = 0): Promise<number> {
  const server = createServer((socket) => socket.destroy()).listen(port, '127.0.0.1')
  servers.push(server)
  await once(server, 'listening')
  const address = server.address()
  return typeof address === 'object' && address !== null ? address.port : 0
}

it('waits for an orchestrator that is not up yet, with one message', async () => {
  const port = await listen()
  servers.splice(0)[0]?.close()
  const printed: string[] = []
  let onPrinted: () => void = () => {}
  const waiting = new Promise<void>((resolve) => {
    onPrinted = resolve
  })
  const err = (text: string) => {
    printed.push(text)
    onPrinted()
  }
  const found = awaitOrchestrator({ host: '127.0.0.1', port }, { err, signal: new AbortController().signal })
  await waiting
  await listen(port)
  expect(await found).toBe(true)
  expect(printed).toEqual([
    `Waiting for the model orchestrator at 127.0.0.1:${port} (MODEL_RUNNER_NODE_HOST, MODEL_RUNNER_NODE_PORT): ECONNREFUSED`,
  ])
})

it('ends with the command', async () => {
  const port = await listen()
  servers.splice(0)[0]?.close()
  const command = new AbortController()
  const err = () => command.abort()
  expect(await awaitOrchestrator({ host: '127.0.0.1', port }, { err, signal: command.signal })).toBe(false)
})

it.each([
  ['live', []],
  ['a replay', ['--replay']],
])('crunch deploy waits for it before anything starts: %s', { timeout: 60_000 }, async (_, replay) => {
  const port = await listen()
  servers.splice(0)[0]?.close()
  const workspace = await openWeatherWorkspace(3)
  onTestFinished(() => workspace.remove())
  const command = new AbortController()
  const printed: string[] = []
  const print = (text: string) => {
    printed.push(text)
    if (/Waiting for|starting/.test(text)) command.abort()
  }
  const free = await Promise.all([listen(), listen()])
  for (const server of servers.splice(0)) server.close()
  const { exitCode } = await runOnTerminal(['deploy', ...replay], {
    cwd: workspace.directory,
    env: {
      ...process.env,
      // The weather template has no live source.
      ...(replay.length === 0 && { FEED_SOURCE: 'pyth' }),
      MODEL_ORCHESTRATOR: 'external',
      MODEL_RUNNER_NODE_PORT: String(port),
      MODEL_ORCHESTRATOR_HTTP_PORT: String(free[0]),
      REPORT_API_PORT: String(free[1]),
    },
    out: print,
    err: print,
    signal: command.signal,
  })
  expect([exitCode, printed.join('\n')]).toEqual([
    1,
    expect.stringContaining(`Waiting for the model orchestrator at localhost:${port}`),
  ])
})
