import { startOrchestrator } from '@crunch/model-orchestrator'
import { expect, it, onTestFinished } from 'vitest'
import { reportUnderTest } from '../../../coordinator-node/src/report/report-app.testkit.ts'
import { createWorkspace, KEY, rememberingLog, until } from '../../../model-orchestrator/test/workspace.ts'
import { openRounds } from './rounds.testkit.ts'

const main = `
class TrackerBase {}
export class Model extends TrackerBase {
  tick() {}
  predict() { return { value: 0.5 } }
}`

it("a participant's model with the name of a baseline is refused until it is renamed, without an alarm", async () => {
  const space = await createWorkspace()
  onTestFinished(() => space.remove())
  await space.models([])
  const orchestrator = await startOrchestrator({
    crunchId: 'weather',
    port: 0,
    http: { port: 0 },
    apiKey: KEY,
    modelsFile: space.modelsFile,
    submissionsDirectory: space.submissions,
    baseClassName: 'tracker.TrackerBase',
    confinement: { namespaces: 'off' },
    pollMs: 50,
    log: rememberingLog(),
  })
  onTestFinished(() => orchestrator.close())
  const send = async (method: string, path: string, fields: Readonly<Record<string, string>>, file?: string) => {
    const body = new FormData()
    for (const [name, text] of Object.entries(fields)) body.append(name, text)
    if (file !== undefined) body.append('files', new Blob([file]), 'main.mjs')
    const url = `http://127.0.0.1:${orchestrator.httpPort}${path}`
    const response = await fetch(url, { method, body, headers: { 'x-api-key': KEY } })
    expect(response.ok, await response.clone().text()).toBe(true)
    return (await response.json()) as { readonly id?: string; readonly model_id?: string }
  }
  await send('POST', '/models', { model_name: 'Flat', cruncher_id: 'stranger', cruncher_name: 'stranger' }, main)
  const id = '1'
  const { runner, store, round, connected, close } = await openRounds(orchestrator.port, { baselines: ['flat'] })
  onTestFinished(close)
  await until('it is set up', connected(id))
  const report = reportUnderTest({ reads: store })
  // If any participant could raise alarms, they would hide those that need the operator.
  const health = async () => JSON.stringify((await report.get('/healthz')).body)
  const models = async () => JSON.stringify((await report.get('/reports/models')).body)
  expect(await round()).toEqual([])
  expect(await health()).not.toContain('Flat')
  expect(await models()).toMatch(/Flat.*baseline/)

  await send('PATCH', `/models/${id}`, { model_name: 'mine' })
  await until('it is renamed', () => runner.models().some(({ name }) => name === 'mine'))
  expect(await round()).toEqual(['1 PENDING null'])
}, 180_000)
