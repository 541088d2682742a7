import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { DynamicSubclassServiceClient, type SetupResponse, setupRequest } from '@crunch/model-protocol'
import { credentials } from '@grpc/grpc-js'
import { expect, it, onTestFinished } from 'vitest'
import { writeFolder } from '../test/temporary-folder.ts'
import { serveModel } from './serve.ts'
import { freeUnixSocket } from './unix-socket.ts'

it('reuses the socket path of a killed runner', async () => {
  const path = join(writeFolder({}), 's:1')
  const listen = `require('node:net').createServer().listen(${JSON.stringify(path)}, () => console.log('ready'))`
  const killed = spawn(process.execPath, ['-e', listen], { stdio: ['ignore', 'pipe', 'inherit'] })
  await once(killed.stdout, 'data')
  killed.kill('SIGKILL')
  await once(killed, 'exit')
  expect(existsSync(path)).toBe(true)

  const address = `unix:${path}`
  const served = await serveModel({ directory: writeFolder({}), address, log: () => undefined })
  const client = new DynamicSubclassServiceClient(address, credentials.createInsecure())
  onTestFinished(() => {
    client.close()
    served.close()
  })
  const { status } = await new Promise<SetupResponse>((resolve, reject) => {
    client.setup(setupRequest('tracker.TrackerBase'), (error, answer) => (error ? reject(error) : resolve(answer)))
  })
  expect(status?.code).toBe('BAD_IMPLEMENTATION')
})

it('refuses the path of a live process, of another file, and a path that is too long', async () => {
  const folder = writeFolder({})
  const path = join(folder, 's:1')
  const server = createServer().listen(path)
  onTestFinished(() => void server.close())
  await once(server, 'listening')
  await expect(freeUnixSocket(`unix:${path}`)).rejects.toThrow(
    /another process already listens there; choose another path$/,
  )
  expect(existsSync(path)).toBe(true)
  writeFileSync(join(folder, 'file'), '')
  await expect(freeUnixSocket(`unix:${folder}/file`)).rejects.toThrow(/there is a file of that name; remove it$/)
  await expect(freeUnixSocket(`unix:/${'x'.repeat(107)}`)).rejects.toThrow(
    /path has 108 bytes, more than the 107 of a socket's path$/,
  )
})

it('leaves a free path and other addresses alone', async () => {
  await freeUnixSocket(`unix://${writeFolder({})}/s:1`)
  await freeUnixSocket('127.0.0.1:0')
})
