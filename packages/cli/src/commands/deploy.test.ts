import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, it } from 'vitest'
import type { PreparedDeployment } from '../deploy/prepare-deployment.ts'
import { testTerminal } from '../run-cli.fixture.ts'
import { askSupervisor } from '../supervisor/control.ts'
import { scriptService } from '../supervisor/supervisor.fixture.ts'
import { readLiveSupervisor } from '../supervisor/supervisor-record.ts'
import { deployHere } from './deploy.ts'

let stateDirectory: string

beforeEach(async () => {
  stateDirectory = await mkdtemp(join(tmpdir(), 'crunch-deploy-here-'))
})

afterEach(() => rm(stateDirectory, { recursive: true, force: true }))

/** A deployment whose only service never becomes ready. */
function starting(): PreparedDeployment {
  const apiUrl = 'http://127.0.0.1:1'
  return {
    settings: { apiKey: undefined, pagePort: undefined, runsModelsHere: false },
    workspace: {
      nodeDirectory: stateDirectory,
      contractPath: join(stateDirectory, 'contract.ts'),
      stateDirectory,
      logDirectory: join(stateDirectory, 'logs'),
      modelsFile: join(stateDirectory, 'models.dev.yml'),
      submissionsDirectory: join(stateDirectory, 'submissions'),
      environmentsDirectory: join(stateDirectory, 'environments'),
      pythonPath: join(stateDirectory, 'python'),
      recordingsDirectory: join(stateDirectory, 'recordings'),
    },
    apiUrl,
    replay: undefined,
    otherOrchestrator: null,
    dev: undefined,
    supervisor: {
      stateDirectory,
      apiUrl,
      modelsUrl: null,
      mode: 'live',
      services: [scriptService('slow', 'setInterval(() => {}, 1000)')],
    },
  }
}

const { terminal } = testTerminal({ cwd: tmpdir() })

it('is stopped by crunch down while it is starting', { timeout: 20_000 }, async () => {
  const deployed = deployHere({ once: false }, starting(), terminal)
  await askSupervisor(await socketOf(), { command: 'down' })
  await deployed
  expect(await readLiveSupervisor(stateDirectory)).toBeUndefined()
})

it('fails when it is stopped before the checkpoint that it waits for', { timeout: 20_000 }, async () => {
  const deployed = expect(deployHere({ once: true }, starting(), terminal)).rejects.toThrow('ended by the operator')
  await askSupervisor(await socketOf(), { command: 'down' })
  await deployed
})

async function socketOf(): Promise<string> {
  const deadlineMs = performance.now() + 10_000
  for (;;) {
    const record = await readLiveSupervisor(stateDirectory)
    if (record !== undefined && (await answers(record.socketPath))) return record.socketPath
    if (performance.now() > deadlineMs) throw new Error('no supervisor within 10 s')
    await new Promise((resolve) => setTimeout(resolve, 20))
  }
}

/** False while the supervisor has claimed the workspace but does not listen yet. */
function answers(socketPath: string): Promise<boolean> {
  return askSupervisor(socketPath, { command: 'status' }).then(
    () => true,
    () => false,
  )
}
