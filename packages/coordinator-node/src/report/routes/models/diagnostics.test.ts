import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { beforeEach, describe, expect, it } from 'vitest'
import { changedContract } from '../../../../test/sample-contract.ts'
import { modelLinesOf } from '../../../live/model-lines.ts'
import { orchestratorKeyOf } from '../../../live/orchestrator-key.ts'
import { reportContract } from '../../../live/report-contract.ts'
import { readSettings } from '../../../live/settings.ts'
import { silentLog } from '../../../ports/log.ts'
import { minute, model, prediction, prepare, round } from '../../../ports/store-samples.ts'
import { newKeyText } from '../../access/key-text.ts'
import { anyone } from '../../access/viewer.ts'
import { type ReportUnderTest, type Row, reportUnderTest } from '../../report-app.testkit.ts'
import { answerGate } from '../../rows/hidden-answers.ts'

const asked: string[] = []
let under: ReportUnderTest
const keys: Record<string, string> = {}

beforeEach(async () => {
  asked.length = 0
  under = reportUnderTest({
    modelLines: async (run, kind) => {
      asked.push(`${kind} ${run}`)
      return run === 'b' ? null : [`${kind} says hello`]
    },
  })
  const { store } = under
  await prepare(store, ['a', 'b'])
  const failed = {
    status: 'FAILED',
    output: null,
    reason: 'invalid_output',
    blame: 'model',
    detail: 'secret stack',
  } as const
  await store.openRound(round(50))
  await store.recordAnswers(round(50).id, minute(50), [
    prediction(round(50), 'a', failed),
    prediction(round(50), 'b', failed),
  ])
  const scopes = { 'c-a': 'participant', 'c-b': 'participant', admin: 'admin', read: 'read' } as const
  for (const [name, scope] of Object.entries(scopes)) {
    const { text, ...made } = newKeyText()
    const cruncherId = scope === 'participant' ? name : null
    await store.addApiKey({ ...made, name, scope, cruncherId, createdAt: 0, endsAt: null, endReason: null })
    keys[name] = text
  }
})

async function ask(path: string, name?: string) {
  const headers: Record<string, string> = name === undefined ? {} : { 'x-api-key': keys[name] ?? '' }
  const response = await under.app.request(path, { headers })
  return { status: response.status, body: (await response.json()) as Row & Row[], text: name }
}

describe.each(['failures', 'logs'])('%s of a model', (what) => {
  it('are for its owner and admins; another participant gets 404, like for an unknown model', async () => {
    const statuses = async (path: string) =>
      Promise.all([undefined, 'read', 'c-b', 'c-a', 'admin'].map(async (name) => (await ask(path, name)).status))
    expect(await statuses(`/reports/models/a/${what}`)).toEqual([401, 403, 404, 200, 200])
    const [others, unknown] = [
      await ask(`/reports/models/a/${what}`, 'c-b'),
      await ask(`/reports/models/x/${what}`, 'c-b'),
    ]
    expect(others.body.detail).toBe(String(unknown.body.detail).replace(' x.', ' a.'))
    expect(JSON.stringify(others)).not.toContain('secret stack')
  })
})

it('names the errors of a model to its owner, in its failures and its activity, and to nobody else', async () => {
  expect((await ask('/reports/models/a/failures', 'c-a')).body).toMatchObject([
    { model_id: 'a', round_id: round(50).id, status: 'FAILED', reason: 'invalid_output', detail: 'secret stack' },
  ])
  expect((await ask('/reports/models/a/failures?since=2026-03-01T10:51:00Z', 'c-a')).body).toEqual([])
  const details = async (name?: string) =>
    (await ask('/reports/models/activity', name)).body.map(({ last_problem }) => (last_problem as Row).detail)
  expect(await details()).toEqual([null, null])
  expect(await details('read')).toEqual([null, null])
  expect(await details('c-b')).toEqual([null, 'secret stack'])
  expect(await details('admin')).toEqual(['secret stack', 'secret stack'])
})

it('shows open answers to all if the contract reveals them at once', async () => {
  const gateOf = (changes: object) =>
    answerGate(anyone, under.store, reportContract(changedContract(changes), 'organizer'))
  const open = { modelId: 'a', status: 'PENDING' } as const
  expect((await gateOf({})).seesAnswer(open)).toBe(false)
  expect((await gateOf({ prediction: { reveal: 'at once' } })).seesAnswer(open)).toBe(true)
})

it('reads the log of the newest run, and only of its own run if the id had another owner', async () => {
  expect((await ask('/reports/models/a/logs', 'c-a')).body).toEqual({
    ...{ model_id: 'a', kind: 'runner', lines: ['runner says hello'] },
  })
  await ask('/reports/models/a/logs?kind=builder', 'c-a')
  expect((await ask('/reports/models/b/logs', 'c-b')).status).toBe(404)
  await under.store.reassignModel('a', 'c-b', minute(55))
  await under.store.registerModels([model('a~2', { cruncherId: 'c-b', deploymentId: 'of-b' })], minute(56))
  await ask('/reports/models/a~2/logs', 'c-b')
  await ask('/reports/models/a/logs', 'c-a')
  expect(asked.slice(0, 3)).toEqual(['runner a', 'builder a', 'runner b'])
  expect(asked.slice(3)).toEqual(['runner of-b', `runner ${model('a').deploymentId}`])
})

it('reads the lines from the orchestrator, with its key, and says when that fails', async () => {
  const requests: unknown[] = []
  const server = createServer((request, response) => {
    requests.push([request.url, request.headers['x-api-key']])
    response.statusCode = request.url?.includes('unknown') ? 404 : request.url?.includes('broken') ? 401 : 200
    response.end('one\ntwo\n')
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  const settings = readSettings({ MODEL_ORCHESTRATOR_HTTP_PORT: `${port}`, API_KEY: 'k' })
  const lines = modelLinesOf(settings, orchestratorKeyOf(settings, silentLog, ''))
  expect(await lines('a/../b', 'builder')).toEqual(['one', 'two'])
  expect(requests).toEqual([['/models/logs/builder/a%2F..%2Fb?from_start=false', 'k']])
  expect(await lines('unknown', 'runner')).toBeNull()
  await expect(lines('broken', 'runner')).rejects.toMatchObject({ code: 'ORCHESTRATOR_UNAVAILABLE' })
  await new Promise((resolve) => server.close(resolve))
  await expect(lines('a', 'runner')).rejects.toMatchObject({ code: 'ORCHESTRATOR_UNAVAILABLE' })
})
