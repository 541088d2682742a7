import { describe, expect, it } from 'vitest'
import { parseConfigFile } from './config-file.ts'
import { collectSettings } from './settings.ts'

function read(text: string, environment: NodeJS.ProcessEnv = {}) {
  const { values, crunches, ignored } = parseConfigFile({ path: 'orchestrator.dev.yml', text, environment })
  return { values: collectSettings((setting) => values.get(setting)), crunches, ignored }
}

/** Every key of deployed files. */
const WHOLE = `
logging:
  level: warning
  file: { path: logs/orchestrator.log }
infrastructure:
  database: { type: sqlite, path: data/orchestrator.db }
  publishers:
    - { type: websocket, address: 0.0.0.0, port: 9091, ping-interval: 5, ping-timeout: 2.5 }
    - { type: rabbitmq, url: amqp://localhost }
  runner:
    type: local
    docker-network-name: crunch
    submission-storage-path-format: data/submissions/{id}
    resource-storage-path-format: data/models/{id}
    rebuild-mode: from-scratch
watcher:
  interval: 1
  poller: { type: yaml, path: config/models.dev.yml }
crunches:
  - id: weather
    name: Weather
    onchain-name: weather
    infrastructure:
      zone: local
      cluster-name: x
      cpu-config: { vcpus: 1.0, memory: 2048, instances-types: [] }
      gpu-config: { vcpus: 1.0, memory: 2048, gpus: 1 }
      is-secure: true
      runner-envs: { LEVEL: high, THREADS: 2 }
    network-config: {}
    run-schedule: { intervals: ["Mo-Fr 09:00-17:00"], timezone: Europe/Paris }
signature-verifier: { public-key: abc }
tournament-api-url: http://localhost
use-augmented-info: false
can-place-in-quarantine: false
`

describe('parseConfigFile', () => {
  it('reads the supported keys, and reports each key without effect with its line', () => {
    const { ignored, values, crunches } = read(WHOLE)
    expect(values).toEqual({
      logLevel: 'warn',
      host: '0.0.0.0',
      port: 9091,
      discovery: { keepaliveMs: 5_000, pongTimeoutMs: 2_500 },
      submissionsDirectory: 'data/submissions',
      modelsFile: 'config/models.dev.yml',
      pollMs: 1_000,
      remembersQuarantine: false,
      http: {},
      restart: {},
      python: {},
      modelLimits: {},
      confinement: {},
    })
    expect(crunches).toEqual([{ id: 'weather', modelEnvironment: { LEVEL: 'high', THREADS: '2' } }])
    const named = ['logging.file', 'infrastructure.database', 'rabbitmq', 'docker-network-name', 'resource-storage']
    named.push('rebuild-mode', 'signature-verifier', 'tournament-api-url', 'use-augmented-info', 'onchain-name')
    named.push('zone', 'cluster-name', 'cpu-config', 'gpu-config', 'is-secure', 'network-config', 'run-schedule')
    expect(ignored).toHaveLength(named.length)
    for (const name of named) expect(ignored.filter((text) => text.includes(name))).toHaveLength(1)
    expect(ignored[0]).toBe('orchestrator.dev.yml:4: logging.file.path: logs go to stderr; redirect it')
  })

  it('sets every setting that has a key in the file', () => {
    const { values } = parseConfigFile({ path: 'orchestrator.dev.yml', text: WHOLE, environment: {} })
    const notGiven: string[] = []
    collectSettings((setting, { file }) => file !== undefined && !values.has(setting) && notGiven.push(file))
    // --crunch-id chooses the competition.
    expect(notGiven).toEqual(['crunches.id'])
  })

  it('reports no key that is absent or already matches the behaviour', () => {
    const { values, ignored } = read('crunches: [{ id: weather }]')
    expect([
      Object.values(values).filter((value) => value !== undefined && typeof value !== 'object'),
      ignored,
    ]).toEqual([[], []])
    const asHere = 'infrastructure: { runner: { type: local, docker-network-name: "None", rebuild-mode: disabled } }'
    expect(read(`${asHere}\ncrunches: [{ id: weather, infrastructure: { is-secure: false } }]`).ignored).toEqual([])
    const poller = 'watcher: { poller: { type: onchain, url: http://localhost:3000 } }\ncrunches: [{ id: weather }]'
    expect(read(poller).ignored).toEqual([expect.stringContaining('--models')])
  })

  it('opens only the first websocket, and reports the others', () => {
    const sockets = '[{ type: websocket, port: 1 }, { type: websocket, port: 2 }]'
    const { values, ignored } = read(`infrastructure: { publishers: ${sockets} }\ncrunches: [{ id: weather }]`)
    expect(values).toMatchObject({ port: 1 })
    expect(ignored).toEqual([expect.stringMatching(/:1: infrastructure\.publishers\.1: only the first websocket/)])
  })

  it('replaces variables in values but not in keys, and only by scalars', () => {
    const text = `
crunches: [{ id: "\${ID}", infrastructure: { runner-envs: { $ID: $ID-x, QUOTED: "$PORT" } } }]
infrastructure: { publishers: [{ type: websocket, port: $PORT, address: $EVIL }] }`
    expect(read(text, { ID: 'weather', PORT: '7000', EVIL: '{ a: b }' })).toMatchObject({
      values: { port: 7000, host: '{ a: b }' },
      crunches: [{ id: 'weather', modelEnvironment: { $ID: 'weather-x', QUOTED: '7000' } }],
    })
  })

  it.each([
    ['an unknown key', 'crunches:\n  - id: a\n    colour: red\n', /yml:3: crunches\.0 \(line 3\): .*"colour"/],
    ['a wrong level', 'logging:\n  level: warn\ncrunches: [{ id: a }]\n', /yml:2: logging\.level/],
    ['no crunches', 'logging:\n  level: info\n', /yml:1: crunches/],
    ['a cloud', 'infrastructure:\n  runner:\n    type: aws\ncrunches: [{ id: a }]', /yml:3: .*must be local/],
    [
      'a path that is not a folder of submissions',
      'infrastructure:\n  runner:\n    type: local\n    submission-storage-path-format: x/{id}/code\ncrunches: [{ id: a }]',
      /yml:4: .*must end with \/\{id\}/,
    ],
    ['a variable that is not set', 'crunches:\n  - id: $NOBODY\n', /yml:2: the variable NOBODY is not set/],
    ['no YAML', 'crunches: [\n', /yml:2: /],
    ['an empty file', '', /yml:1: /],
  ])('refuses %s with its line', (_, text, message) => {
    expect(() => read(text)).toThrow(
      expect.objectContaining({ code: 'SETTINGS_INVALID', message: expect.stringMatching(message) }),
    )
  })
})
