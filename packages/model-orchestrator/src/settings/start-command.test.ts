import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Command, CommanderError } from 'commander'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { addStartCommand, readStartSettings, type StartSettings } from './start-command.ts'

let root: string
let config: string

beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'start-command-'))
  config = join(root, 'orchestrator.dev.yml')
})
afterEach(async () => {
  vi.unstubAllEnvs()
  await rm(root, { recursive: true })
})

async function read(...flags: readonly string[]): Promise<StartSettings> {
  const program = new Command().exitOverride().configureOutput({ writeErr: () => undefined })
  let settings: StartSettings | undefined
  addStartCommand(program)
    .exitOverride()
    .action(async (_, command: Command) => {
      settings = await readStartSettings(command)
    })
  await program.parseAsync(['start', ...flags], { from: 'user' })
  if (settings === undefined) throw new Error('start was not run')
  return settings
}
const needed = () => ['--models', 'models.dev.yml', '--submissions', root]

describe('the settings of start', () => {
  it('are read from the flag, the environment, the file and the default, in this order', async () => {
    await writeFile(config, 'infrastructure: { publishers: [{ type: websocket, port: 3 }] }\ncrunches: [{ id: a }]')
    vi.stubEnv('MODEL_RUNNER_NODE_PORT', '2')
    const portOf = async (...flags: readonly string[]) => (await read(...needed(), ...flags)).orchestrator.port
    expect(await portOf('--config', config, '--port', '1')).toBe(1)
    expect(await portOf('--config', config)).toBe(2)
    vi.stubEnv('MODEL_RUNNER_NODE_PORT', undefined)
    expect(await portOf('--config', config)).toBe(3)
    expect(await portOf()).toBe(9091)
  })

  it('have defaults, and the help shows every way to set them', async () => {
    const { logLevel, ignored, orchestrator } = await read(...needed())
    expect({ logLevel, ignored }).toEqual({ logLevel: 'info', ignored: [] })
    expect(orchestrator).toMatchObject({
      crunchId: 'starter-challenge',
      http: { host: '127.0.0.1', port: 8001 },
      python: { program: 'python3', path: [], allowBuilds: false },
      modelLimits: { memoryMib: 1_024, cpuCores: 1 },
      quarantineFile: expect.stringContaining(root),
    })
    // An `undefined` here would override the defaults of the discovery server, which would then ping without pause.
    expect(orchestrator.discovery).toStrictEqual({})
    const help = addStartCommand(new Command()).configureHelp({ helpWidth: 300 }).helpInformation()
    expect(help).toMatch(
      /--port <port> +port of the discovery socket, 0 for a free one \(file: infrastructure\.publishers\.port\) \(default: 9091, env: MODEL_RUNNER_NODE_PORT\)/,
    )
    expect(help).toMatch(/--log-level <level> .*\(choices: "debug", "info", "warn", "error", default: "info"/)
  })

  it('accept repeated folders, "off" for no HTTP API, and treat an empty API_KEY as unset', async () => {
    vi.stubEnv('API_KEY', '  ')
    const { orchestrator } = await read(...needed(), '--python-path', 'a', '--python-path', 'b', '--http-port', 'off')
    expect(orchestrator).toMatchObject({ python: { path: ['a', 'b'] }, http: undefined })
    expect(orchestrator.apiKey).toMatch(/^\S{32,}$/)
    vi.stubEnv('API_KEY', ' given ')
    expect((await read(...needed())).orchestrator.apiKey).toBe('given')
  })

  it.each([
    [['--port', '65536'], /'--port <port>' .* must be a whole number from 0 to 65535/],
    [['--port', '1.5'], /must be a whole number from 0 to 65535/],
    [['--port', '0x10'], /must be a whole number from 0 to 65535/],
    [['--port', ''], /must be a whole number from 0 to 65535/],
    [['--http-port', 'on'], /must be a whole number from 0 to 65535, or off/],
    [['--model-cpu', '0.01'], /must be a number from 0\.05 to 1024/],
    [['--model-network', 'all'], /Allowed choices are none, host/],
  ])('are refused with the flag and the allowed values: %s', async (flags, message) => {
    await expect(read(...needed(), ...flags)).rejects.toThrow(message)
    await expect(read(...needed(), ...flags)).rejects.toThrow(CommanderError)
  })

  it('name the variable with a wrong value', async () => {
    vi.stubEnv('MODEL_MEMORY_MEBIBYTES', '1')
    await expect(read(...needed())).rejects.toThrow(/from env 'MODEL_MEMORY_MEBIBYTES' is invalid.*128 to 1048576/)
  })

  it('name every missing required setting, with its flag and its key', async () => {
    await expect(read()).rejects.toMatchObject({
      code: 'SETTINGS_INVALID',
      message:
        '--models <file> is missing; give it, or watcher.poller.path in the file of --config; ' +
        '--submissions <directory> is missing; give it, or infrastructure.runner.submission-storage-path-format in the file of --config',
    })
  })

  it('choose the competition by the flag if the file contains several', async () => {
    await writeFile(config, 'crunches: [{ id: a }, { id: b, infrastructure: { runner-envs: { X: 1 } } }]')
    const withConfig = [...needed(), '--config', config]
    await expect(read(...withConfig)).rejects.toThrow(/crunches names several: a, b; choose one with --crunch-id/)
    await expect(read(...withConfig, '--crunch-id', 'c')).rejects.toThrow(/has no "c", but a, b; choose one/)
    expect((await read(...withConfig, '--crunch-id', 'b')).orchestrator).toMatchObject({
      crunchId: 'b',
      modelEnvironment: { X: '1' },
    })
  })

  it('name a file of --config that cannot be read', async () => {
    await expect(read('--config', config)).rejects.toMatchObject({
      code: 'SETTINGS_INVALID',
      message: expect.stringMatching(/orchestrator\.dev\.yml: cannot be read .*give --config a file that exists/),
    })
  })
})
