import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { createServer, type Server } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { ReportedFailure } from '../cli-error.ts'
import { ServiceLog } from '../logs/service-log.ts'
import type { OrchestratorModel } from '../models/orchestrator-client.ts'
import { ReportClient } from '../report-api/report-client.ts'
import { testTerminal } from '../run-cli.fixture.ts'
import type { ServiceStatus } from '../supervisor/service-definition.ts'
import { emissionSum, formatCheckpoint } from '../tables.ts'
import { findWorkspace } from '../workspace.ts'
import { planReplay, watchableSpeed } from './deployment-plan.ts'
import { followLeaderboard, showCheckpoint, waitForCheckpoint } from './follow-replay.ts'
import { prepareReplayDatabase } from './replay-database.ts'
import { DeploymentFailure, reportFailure, type WatchInput, waitUntilReady } from './watch-start.ts'

let root: string
let server: Server | undefined

beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'crunch-deploy-'))
  await mkdir(join(root, 'node/recordings'), { recursive: true })
  await writeFile(join(root, 'node/contract.ts'), '')
  await writeFile(join(root, 'node/recordings/a.csv'), 'a')
  await writeFile(join(root, 'node/recordings/b.csv.gz'), 'b')
  await writeFile(join(root, 'node/recordings/README.md'), '')
})

afterEach(async () => {
  server?.closeAllConnections()
  await new Promise((resolve) => (server === undefined ? resolve(undefined) : server.close(resolve)))
  server = undefined
  await rm(root, { recursive: true, force: true })
})

const live = { resume: false, once: false }

describe('planReplay', () => {
  it('uses the recordings of the workspace unless others are given', () => {
    const workspace = findWorkspace(root)
    const plan = planReplay({ ...live, replay: [] }, workspace, root)
    expect(plan?.files).toEqual([join(root, 'node/recordings/a.csv'), join(root, 'node/recordings/b.csv.gz')])
    expect(planReplay({ ...live, replay: ['node/recordings/a.csv'] }, workspace, root)?.files).toHaveLength(1)
    expect(planReplay(live, workspace, root)).toBeUndefined()
  })

  it('accepts a folder of the archive as a recording', async () => {
    const series = join(root, 'archive/binance/BTCUSDT/candle/1m')
    await mkdir(series, { recursive: true })
    expect(planReplay({ ...live, replay: [series] }, findWorkspace(root), root)?.files).toEqual([series])
    expect(() => planReplay({ ...live, replay: ['archive'] }, findWorkspace(root), root)).toThrow(/this is not a file/)
  })

  it('runs as fast as possible with --once, unless a speed is given', () => {
    const workspace = findWorkspace(root)
    expect(planReplay({ ...live, replay: [], once: true }, workspace, root)?.speed).toBe('max')
    expect(planReplay({ ...live, replay: [], once: true, speed: 60 }, workspace, root)?.speed).toBe(60)
    expect(planReplay({ ...live, replay: [] }, workspace, root)?.speed).toBeUndefined()
  })
})

describe('watchableSpeed', () => {
  it('opens four rounds per second', () => {
    expect(watchableSpeed(2 / 86_400_000)).toBe(172_800)
    expect(watchableSpeed(1 / 60_000)).toBe(240)
  })

  it('is never slower than real time', () => {
    expect(watchableSpeed(1)).toBe(1)
  })
})

describe('prepareReplayDatabase', () => {
  it('starts over, and resumes only the same recording', async () => {
    const workspace = findWorkspace(root)
    const plan = { files: [join(root, 'node/recordings/a.csv')], speed: 'max', resume: false } as const
    await expect(prepareReplayDatabase(workspace, { ...plan, resume: true })).rejects.toThrow('no replay to resume')
    await prepareReplayDatabase(workspace, plan)
    await prepareReplayDatabase(workspace, { ...plan, resume: true })
    await writeFile(join(root, 'node/recordings/a.csv'), 'changed')
    await expect(prepareReplayDatabase(workspace, { ...plan, resume: true })).rejects.toThrow('another recording')
  })
})

const checkpoint = {
  id: 'CKP_1',
  period_start: '2012-01-01T00:00:00.000Z',
  period_end: '2012-12-31T00:00:00.000Z',
  status: 'PENDING',
  entries: [
    {
      cruncher_rewards: [
        { cruncher_index: null, reward_pct: 600_000_000 },
        { cruncher_index: null, reward_pct: 400_000_000 },
      ],
    },
  ],
  meta: {
    ranking: [
      { model_id: '1', model_name: 'first', rank: 1, value: 1.5, reward_pct: 600_000_000 },
      { model_id: '2', model_name: null, rank: 2, value: null, reward_pct: 400_000_000 },
    ],
  },
}

describe('waitForCheckpoint', () => {
  it('returns the oldest checkpoint as soon as there is one', async () => {
    let asked = 0
    const input = await watch((path) => {
      if (!path.startsWith('/reports/checkpoints')) return []
      asked += 1
      return asked < 3 ? [] : [{ ...checkpoint, id: 'CKP_2' }, checkpoint]
    })
    expect(await waitForCheckpoint(input)).toEqual(checkpoint)
    expect(asked).toBe(3)
  })

  it('fails when there is no progress, and names the service that is not ready', async () => {
    const broken: ServiceStatus = { ...serving, name: 'score', state: 'backing-off', lastError: 'no such table' }
    const input = await watch(() => [], [serving, broken])
    const failure = await waitForCheckpoint({ ...input, patienceMs: 200 }).catch((error: unknown) => error)
    expect(failure).toBeInstanceOf(DeploymentFailure)
    expect(failure).toMatchObject({ service: 'score', message: expect.stringContaining('no such table') })
  })

  it('fails at once when a service has a wrong configuration', async () => {
    const input = await watch(() => [], [{ ...serving, name: 'predict', state: 'failed', lastError: 'line 2' }])
    await expect(waitForCheckpoint(input)).rejects.toThrow('line 2')
  })

  it('reports that a recording was too short', async () => {
    const feed = { record_count: 3, watermark_ts: '2012-01-04T00:00:00.000Z' }
    const ended: ServiceStatus = { ...serving, lastEvent: 'replay-ended' }
    const input = await watch((path) => (path === '/reports/feeds' ? [feed] : []), [ended])
    const wait = waitForCheckpoint({ ...input, patienceMs: 300 })
    await expect(wait).rejects.toThrow('ended at 2012-01-04T00:00:00.000Z, before a checkpoint closed: replay a longer')
  })

  it('reports a standstill rather than the length of the recording', async () => {
    const standing = {
      what: 'no checkpoint can be closed',
      held_up_by: 'shares failed at contract.ts:3',
      fix: 'mend it',
    }
    const ended: ServiceStatus = { ...serving, lastEvent: 'replay-ended' }
    const input = await watch((path) => (path === '/healthz' ? { standing_still: [standing] } : []), [ended])
    const cause = 'no checkpoint can be closed; cause: shares failed at contract.ts:3; fix: mend it'
    await expect(waitForCheckpoint({ ...input, patienceMs: 300 })).rejects.toThrow(
      `before a checkpoint closed: ${cause}`,
    )
  })
})

describe('showCheckpoint', () => {
  it('shows the board as of its end, even if later periods have closed, and why the values differ', async () => {
    const board = (name: string, at: string) => [
      { model_id: '1', model_name: name, rank: 1, created_at: at, score_metrics: {}, score_columns: [] },
    ]
    const ofItsEnd = `/reports/leaderboard?until=${encodeURIComponent(checkpoint.period_end)}`
    const input = await watch((path) =>
      path === ofItsEnd ? board('as of then', checkpoint.period_end) : board('newest', '2013-01-09T00:00:00.000Z'),
    )
    const out: string[] = []
    await showCheckpoint({ ...input, terminal: { ...input.terminal, out: (text) => out.push(text) } }, checkpoint)
    expect(out.join('\n')).toMatch(/as of then[\s\S]*Checkpoint CKP_1[\s\S]*windows that end at 2012-12-31T00/)
    expect(out.join('\n')).not.toContain('newest')
  })
})

it('says why nothing was predicted or scored, instead of asking for a longer recording or showing ranks for a success', async () => {
  const failure = 'nothing was scored: score.compute failed at node/contract.ts:38: NaN'
  const outcome = async () => ({ failure, refusals: [] })
  const ended: ServiceStatus = { ...serving, lastEvent: 'replay-ended' }
  const input = { ...(await watch(() => [], [ended])), outcome, patienceMs: 100 }
  const printed: string[] = []
  const print = (text: string) => printed.push(text)
  const terminal = { ...input.terminal, out: print, err: print }
  await expect(waitForCheckpoint({ ...input, terminal })).rejects.toThrow(new ReportedFailure(failure))
  expect(printed.splice(0).at(-1)).toBe(`error: ${failure}`)
  await expect(showCheckpoint({ ...input, terminal }, checkpoint)).rejects.toThrow(new ReportedFailure(failure))
  expect(printed.join('\n')).toMatch(/CKP_1[\s\S]*\nerror: nothing was scored/)
})

describe('followLeaderboard', () => {
  const running = (id: string, overrides: Partial<OrchestratorModel> = {}): OrchestratorModel => ({
    ...{ id, name: `model ${id}`, cruncherName: null, language: 'python', desiredState: 'RUNNING' },
    ...{ status: 'RUNNER_RUNNING', statusMessage: null, deploymentId: null, deployedSubmissionId: null },
    ...{ restarts: 0, quarantined: false, lastFailure: null, confinement: [] },
    ...overrides,
  })

  /** The first output of the board without a terminal. */
  async function shown(models: readonly OrchestratorModel[], lastEvent = 'ready'): Promise<string> {
    const told: string[] = []
    const ended = new AbortController()
    const input = await watch(
      (path) => (path === '/healthz' || path === '/info' ? {} : []),
      [{ ...serving, lastEvent }],
    )
    const out = (text: string) => {
      told.push(text)
      ended.abort()
    }
    const terminal = { ...input.terminal, out, signal: ended.signal }
    await followLeaderboard({ ...input, terminal, models: async () => models })
    return told.join('\n')
  }

  it('shows how many models serve, and why the others do not, shortened', async () => {
    const reason = `pip cannot find torch ${'x'.repeat(500)}`
    const lastFailure = { code: 'BUILD_FAILED', reason, deploymentId: null, submissionId: null, at: '' }
    const stopped = running('4', { desiredState: 'STOPPED', status: 'RUNNER_STOPPED' })
    const text = await shown([
      running('1'),
      running('2', { quarantined: true, lastFailure }),
      running('3', { status: 'RUNNER_INITIALIZING' }),
      stopped,
    ])
    expect(text).toMatch(
      /1 of 3 models serve, model model 2 is QUARANTINED: BUILD_FAILED: pip cannot find torch x+…, model model 3 is STARTING$/,
    )
    const many = ['1', '2', '3', '4', '5'].map((id) => running(id, { status: 'RUNNER_FAILED' }))
    expect(await shown(many)).toMatch(
      /0 of 5 models serve, .*, 2 more models do not serve; list them with: crunch models$/,
    )
  })

  it('says that a replay has ended', async () => {
    expect(await shown([running('1')])).toMatch(/1 of 1 models serve$/)
    expect(await shown([running('1')], 'replay-ended')).toContain('The replay has ended: no more data will come.')
  })
})

describe('waitUntilReady', () => {
  it('waits for every service and for the API', async () => {
    let looks = 0
    const input = await watch(() => ({ status: 'ok', version: '1' }))
    const look = async () => {
      looks += 1
      return [looks < 3 ? { ...serving, state: 'starting' as const } : serving]
    }
    expect(await waitUntilReady({ ...input, look })).toBe(true)
    expect(looks).toBe(3)
  })

  it('fails when a service crashes repeatedly', async () => {
    let looks = 0
    const input = await watch(() => ({}))
    const look = async () => {
      looks += 1
      const state = looks % 2 === 0 ? ('starting' as const) : ('backing-off' as const)
      return [{ ...serving, state, restarts: looks, lastError: 'the database is gone' }, serving]
    }
    const wait = waitUntilReady({ ...input, look, patienceMs: 400 })
    await expect(wait).rejects.toThrow(/^no progress for .*: the database is gone$/)
  })
})

describe('reportFailure', () => {
  it('shows the last lines of this deployment', async () => {
    const printed: string[] = []
    const input = await watch(() => [])
    const log = new ServiceLog(input.logDirectory, 'score')
    log.writeLine(JSON.stringify({ level: 50, time: input.since - 1, msg: 'of yesterday' }), 'stdout')
    log.write(50, 'the reason')
    await log.close()
    const terminal = { ...input.terminal, err: (text: string) => printed.push(text) }
    await expect(reportFailure(new DeploymentFailure('it ended', 'score'), { ...input, terminal })).rejects.toThrow(
      ReportedFailure,
    )
    expect(printed.join('\n')).toContain('score: it ended')
    expect(printed.join('\n')).toContain('the reason')
    expect(printed.join('\n')).not.toContain('of yesterday')
  })
})

describe('formatCheckpoint', () => {
  it('shows the shares and that the emission is exact', () => {
    const text = formatCheckpoint(checkpoint)
    expect(text).toContain('60.00 %')
    expect(text).toContain('Emission: 1000000000 of 1000000000 (exact)')
    expect(emissionSum(checkpoint)).toBe(1_000_000_000)
    const refusals = [
      { what: 'scores', count: 2, of: 9, reason: 'score.compute failed at node/contract.ts:38: NaN' },
    ] as const
    const failed = { ...checkpoint, meta: { ...checkpoint.meta, refusals } }
    expect(formatCheckpoint(failed)).toMatch(
      /2 of 9 scores failed; the first: score\.compute failed at node\/contract\.ts:38: NaN\nnot acknowledged, .* crunch checkpoint export CKP_1 /,
    )
    const accepted = { ...failed.meta, acknowledged_by: 'Ada', acknowledged_at: '2012-12-31T01:00:00.000Z' }
    expect(formatCheckpoint({ ...failed, meta: accepted })).toContain('acknowledged by Ada at 2012-12-31T01:00:00.000Z')
    const broken = { ...checkpoint, entries: [{ cruncher_rewards: [{ cruncher_index: 0, reward_pct: 1 }] }] }
    expect(formatCheckpoint(broken)).toContain('WRONG')
  })
})

const serving: ServiceStatus = {
  name: 'predict',
  state: 'ready',
  pid: 1,
  startedAt: 1,
  readyAt: 1,
  restarts: 0,
  lastError: null,
  lastErrorAt: null,
  nextStartAt: null,
  lastEvent: 'ready',
}

/** A watch on an API that gives `answer(path)`. */
async function watch(
  answer: (path: string) => unknown,
  services: readonly ServiceStatus[] = [serving],
): Promise<WatchInput> {
  const listening = createServer((request, response) => {
    response.setHeader('content-type', 'application/json')
    response.end(JSON.stringify(answer(request.url ?? '')))
  })
  server = listening
  await new Promise<void>((resolve) => listening.listen(0, '127.0.0.1', resolve))
  const address = listening.address()
  if (typeof address !== 'object' || address === null) throw new Error('the server does not listen')
  return {
    look: async () => services,
    client: new ReportClient(`http://127.0.0.1:${address.port}`),
    logDirectory: join(root, 'logs'),
    since: Date.now(),
    patienceMs: 20_000,
    hasApi: true,
    models: async () => [],
    outcome: async () => ({ failure: null, refusals: [] }),
    terminal: testTerminal({ cwd: root }).terminal,
  }
}
