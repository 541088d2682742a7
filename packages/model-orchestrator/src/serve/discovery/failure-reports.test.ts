import { beforeEach, describe, expect, it } from 'vitest'
import { entry, useWorkspace } from '../../../test/start-in-workspace.ts'
import { isAlive, KEY, rememberingLog, until } from '../../../test/workspace.ts'
import type { Orchestrator, OrchestratorSettings } from '../../start-orchestrator.ts'

// A report may come from the coordinator in charge, from a coordinator without a key, or from a program that wants to
// harm a competitor. These tests probe real model processes.

const QUICK_PROBE = { answerMs: 300, busyMs: 600, pauseMs: 50 }

const { space, cleanups, ...used } = useWorkspace()
let orchestrator: Orchestrator
let log: ReturnType<typeof rememberingLog>
beforeEach(async () => {
  await space.submission('good', 'export {}')
  await space.submission('bad', "globalThis.setupCode = 'BAD_IMPLEMENTATION'")
  await space.submission('refuses', "globalThis.setupCode = 'INVALID_ARGUMENT'")
  await space.submission('hangs', "globalThis.setupCode = 'never'")
})

async function start(submissions: readonly string[], settings: Partial<OrchestratorSettings> = {}) {
  const entries = submissions.map((submission, index) => entry(String(index + 1), submission))
  await space.models(entries)
  log = rememberingLog()
  orchestrator = await used.start({
    crunchId: 'weather',
    apiKey: KEY,
    // A serving model must not seem to hang on a busy machine.
    probe: { ...QUICK_PROBE, busyMs: 30_000 },
    log,
    ...settings,
  })
  await orchestrator.settled()
  return entries
}

async function connect({ key, path = '/weather' }: { key?: string; path?: string } = {}) {
  const options = key === undefined ? {} : { headers: { 'x-api-key': key } }
  const client = await used.connect(orchestrator.port, path, options)
  const report = (modelId: string, changes: object = {}) => {
    const data = [
      { model_id: modelId, failure_code: 'MULTIPLE_FAILED', failure_reason: 'too odd', ip: '127.0.0.1', ...changes },
    ]
    client.send({ event: 'report_failure', data })
  }
  return { ...client, report }
}

const status = (id: string) => orchestrator.models().find((model) => model.id === id)
const logged = (text: string) => log.lines.filter(({ message }) => message.includes(text))

describe('a report about a serving model', () => {
  it('never stops it without the key, even if repeated; the model is announced again', async () => {
    await start(['good'])
    const stranger = await connect()
    const pid = status('1')?.pid
    stranger.report('1')
    await stranger.announced('1', 'RUNNING', 1)
    expect(logged('is not confirmed')).toMatchObject([
      { fields: { modelId: '1', found: expect.stringContaining('serves') } },
    ])
    for (let count = 0; count < 20; count += 1) stranger.report('1', { failure_code: 'BAD_IMPLEMENTATION' })
    await until('all reports are counted', () => status('1')?.reports.count === 21)
    expect(status('1')).toMatchObject({ state: 'RUNNING', quarantined: false, pid, lastFailure: null })
    expect(isAlive(pid ?? 0)).toBe(true)
    // All these reports cause only one probe a minute.
    expect(logged('is not confirmed')).toHaveLength(1)
  })

  it('from the coordinator in charge stops it only at the third report about the same run', async () => {
    await start(['good'])
    const coordinator = await connect({ key: KEY })
    for (const count of [1, 2]) {
      coordinator.report('1')
      await coordinator.announced('1', 'RUNNING', count)
      expect(status('1')?.state).toBe('RUNNING')
    }
    coordinator.report('1')
    await coordinator.announced('1', 'STOPPED')
    expect(status('1')).toMatchObject({ state: 'FAILED', quarantined: true, lastFailure: { reason: 'too odd' } })
    expect(coordinator.frames.at(-1)).toContain('"standing":"QUARANTINED"')
  })

  it('does not stop it if the orchestrator itself was blocked during the probe', async () => {
    await space.submission(
      'once-busy',
      `let asked = 0
      Object.defineProperty(globalThis, 'setupCode', {
        get() {
          asked += 1
          if (asked === 1) console.log('asked')
          return asked === 1 ? 'never' : 'SUCCESS'
        },
      })`,
    )
    await start(['once-busy'], { probe: { ...QUICK_PROBE, busyMs: 3_000 } })
    const coordinator = await connect({ key: KEY })
    coordinator.report('1')
    await until('the probe has begun', async () =>
      (await space.logLines('1')).some(({ message }) => message === 'asked'),
    )
    const longerThanBusyMs = 3_500
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, longerThanBusyMs)
    await coordinator.announced('1', 'RUNNING', 1)
    expect(status('1')).toMatchObject({ state: 'RUNNING', lastFailure: null })
  })

  it('counts only for the model, the address and the competition that it names', async () => {
    await start(['bad', 'bad'])
    const coordinator = await connect({ key: KEY })
    const stranger = await connect({ path: '/other', key: KEY })
    stranger.report('1')
    coordinator.report('9')
    coordinator.report('1', { ip: 'elsewhere' })
    coordinator.send('{"event":"report_failure","data":')
    coordinator.report('2')
    await coordinator.announced('2', 'STOPPED')
    expect(status('1')).toMatchObject({ state: 'RUNNING', reports: { count: 0 } })
    expect(logged('does not name a serving model')).toHaveLength(3)
  })
})

describe('a report about a broken model', () => {
  it.each([
    ['bad', 'BAD_IMPLEMENTATION'],
    ['refuses', 'MULTIPLE_FAILED'],
    ['hangs', 'MULTIPLE_TIMEOUT'],
  ])('is confirmed by a probe, regardless of its sender (%s)', async (submission, code) => {
    const entries = await start([submission], { probe: QUICK_PROBE })
    const stranger = await connect()
    const pid = status('1')?.pid
    stranger.report('1', { failure_code: code })
    await stranger.announced('1', 'STOPPED')
    expect(status('1')).toMatchObject({ state: 'FAILED', quarantined: true, lastFailure: { code, reason: 'too odd' } })
    await until('the process is gone', () => !isAlive(pid ?? 0))
    await space.models(entries.map((entry) => ({ ...entry, submission_id: 'good' })))
    await stranger.announced('1', 'RUNNING', 1)
    expect(stranger.frames.join()).toMatch(/QUARANTINED.*LISTED/)
  })

  it('is ignored without the key while the coordinator in charge is connected', async () => {
    await start(['bad'])
    const coordinator = await connect({ key: KEY })
    const stranger = await connect()
    stranger.report('1')
    await until('the report is counted', () => status('1')?.reports.count === 1)
    expect(logged('is ignored')).toHaveLength(1)
    coordinator.report('1')
    await coordinator.announced('1', 'STOPPED')
  })

  it('with an unknown code fails the model with UNKNOWN', async () => {
    await start(['bad'])
    const stranger = await connect()
    stranger.report('1', { failure_code: 'BRAND_NEW' })
    await stranger.announced('1', 'STOPPED')
    expect(status('1')?.lastFailure).toMatchObject({ code: 'UNKNOWN', reason: 'too odd' })
  })

  it('of a failed connection does not restart the model if it hangs', async () => {
    await start(['hangs'], { probe: QUICK_PROBE })
    const coordinator = await connect({ key: KEY })
    coordinator.report('1', { failure_code: 'CONNECTION_FAILED' })
    await coordinator.announced('1', 'STOPPED')
    const lastFailure = { code: 'MULTIPLE_TIMEOUT', reason: 'it was busy or silent for 600 ms; too odd' }
    expect(status('1')).toMatchObject({ state: 'FAILED', quarantined: true, restarts: 0, lastFailure })
  })

  it('of a failed connection finally quarantines the model, even if each report comes late', async () => {
    // Each run is old enough to count as stable.
    const restart = { initialDelayMs: 10, maxDelayMs: 50, maxQuickFailures: 3, stableAfterMs: 0 }
    await start(['bad'], { restart })
    const coordinator = await connect({ key: KEY })
    for (let run = 0; run < 3; run += 1) {
      await coordinator.announced('1', 'RUNNING', run)
      coordinator.report('1', { failure_code: 'CONNECTION_FAILED' })
      await coordinator.announced('1', 'STOPPED', run)
    }
    expect(status('1')).toMatchObject({ state: 'FAILED', quarantined: true, restarts: 2 })
  })

  it('of a failed connection restarts the model', async () => {
    await start(['bad'])
    const stranger = await connect()
    stranger.report('1', { failure_code: 'CONNECTION_FAILED' })
    await stranger.announced('1', 'RUNNING', 1)
    expect(stranger.states.map(({ state }) => state)).toEqual(['RUNNING', 'STOPPED', 'RUNNING'])
    expect(status('1')).toMatchObject({ restarts: 1, lastFailure: { code: 'CONNECTION_FAILED' } })
  })
})
