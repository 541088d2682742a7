import { parseEnv } from 'node:util'
import { expect, it } from 'vitest'
import type { NodeSettings } from '../node-settings.ts'
import type { Workspace } from '../workspace.ts'
import { devEnvironment } from './dev-environment.ts'

const workspace = { nodeDirectory: '/game/node', logDirectory: '/game/node/.crunch/logs' } as Workspace
const settings = { runsModelsHere: true, apiKey: undefined } as NodeSettings
const isReadElsewhere = () => false

it('contains the settings of the files, and the database and key of the deployment', () => {
  const values = { CRUNCH_ID: 'game', LOG_FORMAT: 'json', POSTGRES_USER: 'u', NOTE: `it's "x"`, HOME: '/root' }
  const places = new Map(['CRUNCH_ID', 'LOG_FORMAT', 'POSTGRES_USER', 'NOTE'].map((key) => [key, '/game/node/.env:1']))
  const text = devEnvironment(
    { workspace, settings, environment: { values, places, isReadElsewhere } },
    'postgres://u@h',
  )
  expect(parseEnv(text)).toEqual({
    CRUNCH_ID: 'game',
    NOTE: `it's "x"`,
    DATABASE_URL: 'postgres://u@h',
    MODEL_ORCHESTRATOR_KEY_FILE: expect.stringMatching(/^\/game\/node\/\.crunch\/logs\/models\/./),
    LOG_FORMAT: 'pretty',
  })
})

it('refuses a value that an environment file cannot contain', () => {
  const environment = { values: { A: `'"\`` }, places: new Map([['A', '/game/node/.env:1']]), isReadElsewhere }
  expect(() => devEnvironment({ workspace, settings, environment }, 'postgres://u@h')).toThrow('every kind of quote')
})
