import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { processIdentity } from '@crunch/local-processes'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { testTerminal } from '../run-cli.fixture.ts'
import { endLeftovers, readPidFiles, writePidFile } from '../supervisor/pid-files.ts'
import { prepareDeployment } from './prepare-deployment.ts'

let root: string
let pids: string
let leftover: ChildProcess

beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'crunch-prepare-'))
  pids = join(root, 'node/.crunch/pids')
  await mkdir(join(root, 'node'))
  await writeFile(join(root, 'node/contract.ts'), 'export default {}')
})

afterEach(async () => {
  leftover.kill('SIGKILL')
  await rm(root, { recursive: true, force: true })
})

/** Starts a listening process, like the report worker of a killed supervisor; returns its port. */
async function leaveListener(): Promise<number> {
  const script = `const server = require('node:net').createServer().listen(0, '127.0.0.1', () => console.log(server.address().port))`
  leftover = spawn(process.execPath, ['-e', script], { stdio: ['ignore', 'pipe', 'inherit'], detached: true })
  if (leftover.stdout === null) throw new Error('no output')
  const [text] = await once(leftover.stdout, 'data')
  const pid = leftover.pid ?? Number.NaN
  const identity = processIdentity(pid) ?? ''
  await writePidFile(pids, { service: 'report', pid, identity, startedAt: Date.now() })
  return Number(String(text))
}

it('recognizes processes left by a killed supervisor', async () => {
  const port = await leaveListener()
  const { terminal, err } = testTerminal({ cwd: root, env: { REPORT_API_PORT: String(port) } })
  const prepared = prepareDeployment({ resume: false, once: false }, terminal)
  // The only finding is the empty contract, not the port.
  await expect(prepared).rejects.toThrow('cannot be deployed')
  expect(err.join('\n')).toContain(`Ended processes of a killed supervisor: report (process ${leftover.pid})`)
  expect(err.join('\n')).not.toContain(`port ${port}`)
})

it('does not end processes of a supervisor that has claimed the workspace in the meantime', async () => {
  await leaveListener()
  let asked = 0
  const isSupervised = async () => {
    asked += 1
    return asked === 2
  }
  expect(await endLeftovers(pids, isSupervised)).toEqual([])
  expect(await readPidFiles(pids)).toHaveLength(1)
  expect(processIdentity(leftover.pid ?? Number.NaN)).toBeDefined()
})
