import { once } from 'node:events'
import { createServer, type Server } from 'node:net'
import { afterEach, expect, it } from 'vitest'
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

it('waits for an orchestrator that is not up yet, and says so once', async () => {
  const port = await listen()
  servers.splice(0)[0]?.close()
  const told: string[] = []
  let hasTold: () => void = () => {}
  const waiting = new Promise<void>((resolve) => {
    hasTold = resolve
  })
  const err = (text: string) => {
    told.push(text)
    hasTold()
  }
  const found = awaitOrchestrator({ host: '127.0.0.1', port }, { err, signal: new AbortController().signal })
  await waiting
  await listen(port)
  expect(await found).toBe(true)
  expect(told).toEqual([
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
