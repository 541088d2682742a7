import { describe, expect, it } from 'vitest'
import type { NodeSettings } from '../node-settings.ts'
import type { Workspace } from '../workspace.ts'
import { deploymentServices } from './services.ts'

const workspace: Workspace = {
  nodeDirectory: '/game/node',
  contractPath: '/game/node/contract.ts',
  stateDirectory: '/game/node/.crunch',
  logDirectory: '/game/node/.crunch/logs',
  modelsFile: '/game/node/models.dev.yml',
  submissionsDirectory: '/game/node/submissions',
  environmentsDirectory: '/game/node/.crunch/environments',
  pythonPath: '/game/challenge/python/src',
  recordingsDirectory: '/game/node/recordings',
}

const settings: NodeSettings = {
  crunchId: 'game',
  organizerId: 'organizer',
  databaseUrl: 'postgres://live.example/crunch',
  databasePlace: 'DATABASE_URL',
  apiPort: 8000,
  pagePort: undefined,
  modelRunnerHost: 'localhost',
  modelRunnerPort: 9091,
  orchestratorHost: '127.0.0.1',
  orchestratorPort: 8001,
  apiKey: undefined,
  modelBaseClassName: 'Tracker',
  modelTimeoutMs: undefined,
  pythonProgram: 'python3',
  modelLimits: {
    memoryMib: 512,
    cpuCores: 0.5,
    processes: undefined,
    startTimeoutMs: 45_000,
    openFiles: undefined,
    folderMib: undefined,
    network: 'host',
    namespaces: 'off',
    allowBuilds: 'true',
  },
  replaySpeed: undefined,
  replaysBySetting: false,
  runsModelsHere: true,
}

const environment = () => ({ DATABASE_URL: 'postgres://live.example/crunch', POSTGRES_USER: 'u' })
const replay = { files: ['/game/node/recordings/a.csv'], speed: 'max' } as const

function worker(run: typeof replay | undefined) {
  const found = deploymentServices({ workspace, settings, replay: run, environment }).find(
    ({ name }) => name === 'predict',
  )
  if (found === undefined) throw new Error('no predict')
  return found
}

describe('a worker', () => {
  it('of a replay never starts with the database of the settings', async () => {
    expect(() => worker(replay).command({})).toThrow('has not reported its address')
    const { env } = await worker(replay).command({ DATABASE_URL: 'postgres://replay' })
    expect(env.DATABASE_URL).toBe('postgres://replay')
    expect(env).not.toHaveProperty('POSTGRES_USER')
  })

  it('of a live deployment uses the database of the settings', async () => {
    const { env } = await worker(undefined).command({})
    expect(env).toMatchObject({
      DATABASE_URL: 'postgres://live.example/crunch',
      SERVICE_LOG_DIRECTORY: '/game/node/.crunch/logs',
    })
  })
})

describe('the orchestrator', () => {
  it('gets its address and the configured limits of models', async () => {
    const services = deploymentServices({ workspace, settings, replay: undefined, environment })
    const { args } = await (services.find(({ name }) => name === 'models') ?? worker(undefined)).command({})
    const text = args.join(' ')
    expect(text).toContain('--port 9091 ')
    expect(text).toContain('--http-host 127.0.0.1 --http-port 8001 ')
    expect(text).toContain('--python python3 ')
    expect(text).toMatch(
      /--model-memory 512 --model-cpu 0\.5 --start-timeout 45000 --model-network host --model-namespaces off --model-allow-builds true$/,
    )
  })
})
