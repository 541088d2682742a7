import { readdir, readFile, writeFile } from 'node:fs/promises'
import { request } from 'node:http'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { entry, useWorkspace } from '../../../test/start-in-workspace.ts'
import { KEY, until } from '../../../test/workspace.ts'
import type { Orchestrator, OrchestratorSettings } from '../../start-orchestrator.ts'
import type { ModelRow } from './model-row.ts'

const { space, cleanups, ...used } = useWorkspace()
let orchestrator: Orchestrator
let url: string

async function start(settings: Partial<OrchestratorSettings> = {}): Promise<void> {
  const restart = { initialDelayMs: 10, maxDelayMs: 50, maxQuickFailures: 2 }
  orchestrator = await used.start({ crunchId: 'weather', http: { port: 0 }, apiKey: KEY, restart, ...settings })
  url = `http://127.0.0.1:${orchestrator.httpPort}`
}

const GOOD = "console.log('hello from a model')"
const get = (address: string) => fetch(address, { headers: { 'x-api-key': KEY } })
async function rows(): Promise<ModelRow[]> {
  const response = await get(`${url}/models`)
  expect(response.status).toBe(200)
  return response.json() as Promise<ModelRow[]>
}
const row = async (id: string) => (await rows()).find((one) => one.id === id)
const awaitStatus = (id: string, status: string) =>
  until(`${id} ${status}`, async () => {
    const found = await row(id)
    return found?.status === status ? found : null
  })
function form(fields: Readonly<Record<string, string>>, files: Readonly<Record<string, string>> = {}): FormData {
  const data = new FormData()
  for (const [name, text] of Object.entries(files)) data.append('files', new Blob([text]), name)
  for (const [name, text] of Object.entries(fields)) data.append(name, text)
  return data
}
async function send(
  method: string,
  path: string,
  body?: FormData,
  headers: Readonly<Record<string, string>> = { 'x-api-key': KEY },
) {
  const response = await fetch(`${url}${path}`, { method, headers, ...(body === undefined ? {} : { body }) })
  return { status: response.status, answer: (await response.json()) as Record<string, unknown> }
}
/** fetch sets the Host header and normalizes paths itself. */
function raw(headers: Readonly<Record<string, string>>, path = '/models'): Promise<number | undefined> {
  return new Promise((resolve, reject) => {
    const asked = request({ host: '127.0.0.1', port: orchestrator.httpPort, path, headers }, (response) => {
      response.resume()
      resolve(response.statusCode)
    })
    asked.on('error', reject)
    asked.end()
  })
}

describe('GET /models', () => {
  it('C21: shows the state of each model as the deployed orchestrator does, and why it failed', async () => {
    await space.submission('good', GOOD)
    await space.submission('crash', "console.error('no weights'); process.exit(3)")
    await space.models([
      entry('10', 'good', { model_name: 'trend', cruncher_id: 'me', cruncher_name: 'Me' }),
      entry('2', 'crash'),
      entry('3', 'missing'),
      entry('4', 'good', { desired_state: 'STOPPED' }),
    ])
    await start()
    await awaitStatus('2', 'RUNNER_FAILED')
    await awaitStatus('10', 'RUNNER_RUNNING')
    const [two, three, four, ten] = await rows()
    const status = orchestrator.models()[0]
    expect(ten).toEqual({
      id: '10',
      model_name: 'trend',
      deployment_id: status?.deploymentId,
      desired_state: 'RUNNING',
      status: 'RUNNER_RUNNING',
      statusMessage: null,
      crunch_id: 'weather',
      cruncher_id: 'me',
      cruncher_name: 'Me',
      builder_log_uri: null,
      runner_log_uri: `${url}/models/logs/runner/${status?.deploymentId}`,
      submission_id: 'good',
      deployed_submission_id: 'good',
      language: status?.language,
      pid: status?.pid,
      restarts: 0,
      last_failure: null,
      quarantined: false,
      failure_reports: { count: 0, newest: null },
      confinement: status?.confinement,
    })
    expect(two).toMatchObject({
      statusMessage: expect.stringContaining('no weights'),
      last_failure: { code: 'RUN_FAILED', at: expect.stringMatching(/^\d{4}-.*Z$/) },
      quarantined: true,
      restarts: 1,
    })
    expect(three).toMatchObject({
      id: '3',
      status: 'BUILDER_FAILED',
      last_failure: { code: 'BUILD_FAILED', submission_id: 'missing' },
    })
    expect(four).toMatchObject({ id: '4', status: 'CREATED', deployment_id: null, runner_log_uri: null })
  })
})

describe('POST, PATCH and DELETE', () => {
  it('C21: upload a model, replace its code, rename, stop, start and remove it', async () => {
    await space.models([entry('4', 'gone', { desired_state: 'STOPPED' })])
    await start()
    const added = await send('POST', '/models', form({ model_name: 'mine' }, { 'main.mjs': GOOD, 'lib/a.mjs': '' }))
    expect(added).toEqual({
      status: 200,
      answer: {
        id: '5',
        model_name: 'mine',
        crunch_id: 'weather',
        desired_state: 'RUNNING',
        cruncher_id: 'local-0005',
        cruncher_name: 'local-dev',
      },
    })
    const first = await awaitStatus('5', 'RUNNER_RUNNING')
    expect(first.submission_id).toMatch(/^\d{8}_\d{6}_\d{3}$/)
    expect(await readdir(join(space.submissions, first.submission_id, 'lib'))).toEqual(['a.mjs'])

    const changed = await send('PATCH', '/models/5', form({ model_name: 'renamed' }, { 'main.mjs': 'export {}' }))
    expect(changed).toMatchObject({
      status: 200,
      answer: { id: '5', model_name: 'renamed', cruncher_id: 'local-0005' },
    })
    await until('the new code', async () => {
      const now = await row('5')
      return now?.submission_id !== first.submission_id && now?.deployment_id !== first.deployment_id && now
    })
    await awaitStatus('5', 'RUNNER_RUNNING')
    expect((await row('5'))?.model_name).toBe('renamed')

    await send('PATCH', '/models/5', form({ desired_state: 'STOPPED' }))
    await awaitStatus('5', 'RUNNER_STOPPED')
    await send('PATCH', '/models/5', form({ desired_state: 'RUNNING' }))
    await awaitStatus('5', 'RUNNER_RUNNING')
    expect(await send('DELETE', '/models/5')).toEqual({ status: 200, answer: { id: '5', removed: true } })
    await until('the model is gone', async () => (await row('5')) === undefined)
  })

  it('end a quarantine when the state is set to RUNNING', async () => {
    await space.submission('crash', 'process.exit(3)')
    await space.models([entry('1', 'crash')])
    await start()
    const failed = await awaitStatus('1', 'RUNNER_FAILED')
    await send('PATCH', '/models/1', form({ desired_state: 'RUNNING' }))
    await until('a new run', async () => (await row('1'))?.deployment_id !== failed.deployment_id)
  })

  it.each([
    ['no files', {}, {}, 'REQUEST_INVALID', /no files were sent; send one \.ipynb/],
    ['no model', {}, { 'readme.md': '' }, 'SUBMISSION_REFUSED', /the upload has no main/],
    ['an unknown field', { colour: 'red' }, { 'main.mjs': '' }, 'REQUEST_INVALID', /"colour" is unknown; known are/],
    ['a wrong state', { desired_state: 'ON' }, { 'main.mjs': '' }, 'REQUEST_INVALID', /must be RUNNING or STOPPED/],
    [
      'a name outside the submission',
      {},
      { 'main.mjs': '', '../../evil.mjs': '' },
      'REQUEST_INVALID',
      /"\.\.\/\.\.\/evil\.mjs".*relative/,
    ],
    ['an absolute name', {}, { '/etc/cron.d/x': '' }, 'REQUEST_INVALID', /relative to the submission/],
    ['a broken notebook', {}, { 'a.ipynb': 'nonsense' }, 'SUBMISSION_REFUSED', /^a\.ipynb: it is not a notebook/],
  ])('refuse %s and leave nothing behind', async (_, fields, files, code, message) => {
    await space.models([])
    await start()
    const before = await readFile(space.modelsFile, 'utf8')
    const { status, answer } = await send('POST', '/models', form(fields, files))
    expect(answer).toMatchObject({ code, detail: expect.stringMatching(message) })
    expect(status).toBe(400)
    expect(await readdir(space.submissions)).toEqual([])
    expect(await readFile(space.modelsFile, 'utf8')).toBe(before)
  })

  it('report an unknown model, an invalid or too large body, and an invalid models file', async () => {
    await space.models([])
    await start()
    for (const [method, path] of [
      ['PATCH', '/models/9'],
      ['DELETE', '/models/9'],
    ] as const) {
      const body = method === 'PATCH' ? form({ desired_state: 'STOPPED' }) : undefined
      expect(await send(method, path, body)).toMatchObject({ status: 404, answer: { code: 'MODEL_UNKNOWN' } })
    }
    expect(await send('GET', '/model')).toMatchObject({ status: 404, answer: { code: 'NOT_FOUND' } })
    const noForm = await fetch(`${url}/models`, { method: 'POST', body: '{}', headers: { 'x-api-key': KEY } })
    expect([noForm.status, await noForm.json()]).toMatchObject([400, { code: 'REQUEST_INVALID' }])
    const length = String(200 * 1024 * 1024)
    const large = await new Promise<number | undefined>((resolve, reject) => {
      const headers = {
        'content-type': 'multipart/form-data; boundary=x',
        'content-length': length,
        'x-api-key': KEY,
      }
      const path = { host: '127.0.0.1', port: orchestrator.httpPort, path: '/models', method: 'POST', headers }
      const asked = request(path, (response) => {
        resolve(response.statusCode)
        response.destroy()
      })
      asked.on('error', reject)
      asked.flushHeaders()
    })
    expect(large).toBe(413)
    await writeFile(space.modelsFile, 'models: 7')
    const broken = await send('POST', '/models', form({}, { 'main.mjs': '' }))
    expect(broken).toMatchObject({ status: 409, answer: { code: 'MODELS_FILE_INVALID' } })
  })
})

describe('GET /models/logs', () => {
  it('C21: returns the output of a run, from the start or only the newest lines, and follows it until the run ends', async () => {
    await space.submission('talks', "console.log('hello'); process.on('SIGUSR2', () => console.log('again'))")
    await space.models([entry('1', 'talks')])
    await start()
    const { runner_log_uri: uri, pid } = await awaitStatus('1', 'RUNNER_RUNNING')
    const logUri = uri ?? ''
    await until('the line', async () => (await (await get(logUri)).text()).startsWith('hello\n'))
    const plain = await get(`${logUri}?from_start=false`)
    expect(plain.headers.get('content-type')).toContain('text/plain')
    expect(await plain.text()).toContain('hello\n')
    expect(await (await get(`${url}/models/logs/runner/1`)).text()).toContain('hello\n')
    expect(await (await get(logUri.replace('/runner/', '/builder/'))).text()).toBe('')

    const reader = (await get(`${logUri}?follow=true`)).body?.pipeThrough(new TextDecoderStream()).getReader()
    let text = ''
    let isOver = false
    const reading = (async () => {
      for (let next = await reader?.read(); next && !next.done; next = await reader?.read()) text += next.value
      isOver = true
    })()
    await until('the first line', () => text.startsWith('hello\n'))
    process.kill(pid ?? 0, 'SIGUSR2')
    await until('the line that follows', () => text.includes('again\n'))
    expect(isOver).toBe(false)
    await space.models([entry('1', 'talks', { desired_state: 'STOPPED' })])
    await reading
    expect(text).toMatch(/run ended: stopped on request\n$/)
  })

  it('reports a missing log', async () => {
    await space.models([])
    await start()
    for (const path of ['runner/9', 'runner/9_20250101_000000_000?follow=true', 'other/9', 'runner/..%2f..%2fx']) {
      expect(await send('GET', `/models/logs/${path}`)).toMatchObject({ status: 404, answer: { code: 'LOG_UNKNOWN' } })
    }
    expect(await send('GET', '/models/logs/runner/9?follow=maybe')).toMatchObject({ status: 400 })
  })
})

describe('access to the HTTP API', () => {
  it('needs the key, even from this machine', async () => {
    await space.models([])
    await start()
    const local = { host: `localhost:${orchestrator.httpPort}` }
    for (const headers of [local, { ...local, origin: 'http://localhost:3000' }, { origin: 'https://evil.example' }]) {
      expect(await raw(headers)).toBe(401)
    }
    expect(await raw({ 'x-api-key': 'wrong' })).toBe(401)
    expect(await raw({ 'x-api-key': KEY, origin: 'https://app.example' })).toBe(200)
    expect(await raw({ authorization: `Bearer ${KEY}`, host: 'node.example' })).toBe(200)
    const added = await send('POST', '/models', form({}, { 'main.mjs': '' }), {})
    expect(added).toMatchObject({
      status: 401,
      answer: { code: 'ACCESS_DENIED', detail: expect.stringContaining('.orchestrator-key beside the logs') },
    })
    expect(await readdir(space.submissions)).not.toContain('main')
    const preflight = await fetch(`${url}/models`, { method: 'OPTIONS', headers: { origin: 'https://app.example' } })
    expect(preflight.headers.get('access-control-allow-origin')).toBe('*')
  })

  it('is denied if no key was configured', async () => {
    await space.models([])
    await start({ apiKey: undefined } as never)
    for (const key of ['', 'undefined', 'null']) expect(await raw({ 'x-api-key': key })).toBe(401)
  })

  it('reports a port in use, and closes the other port', async () => {
    await space.models([])
    await start()
    const port = orchestrator.httpPort ?? 0
    const { port: discovery } = orchestrator
    await expect(start({ http: { port } })).rejects.toMatchObject({
      code: 'ADDRESS_UNAVAILABLE',
      message: expect.stringMatching(new RegExp(`port ${port} .* in use; .*--http-port`)),
    })
    expect(orchestrator.port).toBe(discovery)
  })
})
