import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { DEPLOYED_CLIENT, pythonOrReason } from '@crunch/python-peers'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { type Orchestrator, startOrchestrator } from '../src/start-orchestrator.ts'
import { createWorkspace, rememberingLog, until } from './workspace.ts'

const baseClassName = 'tracker.TrackerBase'
const entry = { crunch_id: 'peers', desired_state: 'RUNNING' }

const adder = `
class TrackerBase {}
export class Adder extends TrackerBase {
  #sum = 0
  tick(data) { this.#sum += data.closes.reduce((sum, close) => sum + close, 0) }
  predict(subject, horizon, step) { return { value: this.#sum, asked: [subject, horizon, step] } }
  fail() { throw new Error('of the model') }
}
`

interface Client {
  ask(command: object): Promise<Record<string, unknown>>
}

let workspace: Awaited<ReturnType<typeof createWorkspace>>
let orchestrator: Orchestrator
const cleanups: (() => Promise<unknown>)[] = []
let peer: Awaited<ReturnType<typeof pythonOrReason>>

beforeAll(async () => {
  peer = await pythonOrReason(DEPLOYED_CLIENT)
}, 400_000)

async function cleanUp(): Promise<void> {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup()
}

/** Starts an orchestrator with one model. Without a network, it listens on a socket. In CI the machine must support that isolation. */
async function start(main: string, network: 'none' | 'host' = 'none'): Promise<void> {
  workspace = await createWorkspace()
  cleanups.push(() => workspace.remove())
  await workspace.submission('adder', main)
  await workspace.models([{ id: '1', submission_id: 'adder', model_name: 'Ada', ...entry }])
  const isRequired = network === 'host' || process.env.CI === 'true'
  orchestrator = await startOrchestrator({
    crunchId: 'peers',
    modelsFile: workspace.modelsFile,
    submissionsDirectory: workspace.submissions,
    logsDirectory: workspace.logs,
    baseClassName,
    log: rememberingLog(),
    confinement: isRequired ? { network } : {},
    port: 0,
    pollMs: 50,
  })
  cleanups.push(() => orchestrator.close())
  await orchestrator.settled()
}

/** A Python and a model take seconds to start on a busy machine. */
const limitMs = 90_000

// The tests share an orchestrator and a client, and each continues where the last one ended.
describe("PyPI's model-runner-client", { timeout: 3 * limitMs }, () => {
  let ask: Client['ask']
  beforeAll(async () => {
    if ('reason' in peer) return
    await start(adder)
    ask = startClient(peer.python).ask
  }, 3 * limitMs)
  afterAll(cleanUp)

  it('connects to our orchestrator and calls our runner', async (context) => {
    if ('reason' in peer) return context.skip(peer.reason)
    expect(await ask({ do: 'models' })).toEqual({
      1: {
        deployment_id: orchestrator.models()[0]!.deploymentId,
        model_name: 'Ada',
        infos: expect.objectContaining({ model_name: 'Ada' }),
      },
    })
    const tick = { do: 'call', method: 'tick', arguments: [{ subject: 'BTCUSDT', closes: [1, 2.5] }] }
    expect(await ask(tick)).toEqual({ 1: { status: 'SUCCESS', result: null } })
    expect(await ask({ do: 'call', method: 'predict', arguments: ['BTCUSDT', 60, 15] })).toEqual({
      1: { status: 'SUCCESS', result: { value: 3.5, asked: ['BTCUSDT', 60, 15] } },
    })
    expect(await ask({ do: 'call', method: 'fail', arguments: [] })).toEqual({ 1: { status: 'FAILED', result: null } })
  })

  it('connects again to a model that it reported but that still serves', async (context) => {
    if ('reason' in peer) return context.skip(peer.reason)
    const hasModel = async () => Object.keys(await ask({ do: 'models' })).join() === '1'
    await until('the model', hasModel, limitMs)
    await ask({ do: 'report', model: '1', code: 'MULTIPLE_FAILED', reason: 'it failed a hundred times' })
    await until('the report to be looked into', () => orchestrator.models()[0]?.reports.count === 1, limitMs)
    await until('the client to have it again', hasModel, limitMs)
    const answers = await ask({ do: 'call', method: 'predict', arguments: ['BTCUSDT', 60, 15] })
    expect(answers).toMatchObject({ 1: { status: 'SUCCESS' } })
    expect(orchestrator.models()[0]).toMatchObject({ state: 'RUNNING', lastFailure: null })
  })

  it('sees models that our orchestrator starts, renames, replaces and stops', async (context) => {
    if ('reason' in peer) return context.skip(peer.reason)
    const names = async () =>
      Object.entries((await ask({ do: 'models' })) as Record<string, { model_name: string }>).map(
        ([id, { model_name: name }]) => `${id} ${name}`,
      )
    await until('the first model', async () => (await names()).join() === '1 Ada', limitMs)
    const second = { id: '2', submission_id: 'adder', model_name: 'Bob', ...entry }
    await workspace.models([{ id: '1', submission_id: 'adder', model_name: 'Countess', ...entry }, second])
    await until('both models', async () => (await names()).sort().join() === '1 Countess,2 Bob', limitMs)
    const before = orchestrator.models()[1]!.deploymentId
    await workspace.submission('adder-2', adder)
    await workspace.models([{ ...second, submission_id: 'adder-2' }])
    await until(
      'the replaced model alone',
      async () => {
        const models = (await ask({ do: 'models' })) as Record<string, { deployment_id: string }>
        return Object.keys(models).join() === '2' && models[2]!.deployment_id !== before
      },
      limitMs,
    )
  })
})

describe("PyPI's model-runner-client, with an orchestrator of its own", { timeout: 3 * limitMs }, () => {
  afterEach(cleanUp)

  it.for(['none', 'host'] as const)(
    'can report a model that cannot be set up, which is then stopped, network %s',
    async (network, context) => {
      if ('reason' in peer) return context.skip(peer.reason)
      await start('export const nothing = 1', network)
      // The client detects the failed setup and reports it.
      const { ask } = startClient(peer.python)
      const stopped = await until(
        'the model to be stopped',
        () => orchestrator.models().find(({ state }) => state === 'FAILED'),
        limitMs,
      )
      expect(stopped).toMatchObject({ quarantined: true, lastFailure: { code: 'BAD_IMPLEMENTATION' } })
      expect(await ask({ do: 'models' })).toEqual({})
    },
  )
})

function startClient(program: string): Client {
  const script = fileURLToPath(new URL('./python-client.py', import.meta.url))
  const child = spawn(program, [script, String(orchestrator.port), 'peers', baseClassName])
  const ended = once(child, 'exit')
  cleanups.push(() => {
    child.kill('SIGKILL')
    return ended
  })
  let errors = ''
  child.stderr.on('data', (chunk) => {
    errors += chunk
  })
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]()
  return {
    async ask(command) {
      child.stdin.write(`${JSON.stringify(command)}\n`)
      const { value, done } = await lines.next()
      if (done === true) throw new Error(`the Python client ended: ${errors}`)
      return JSON.parse(value) as Record<string, unknown>
    },
  }
}
