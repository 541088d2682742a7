import { changedContract } from '../../test/sample-definition.ts'
import { createMemoryStore, type MemoryStore } from '../adapters/store/memory/memory-store.ts'
import { feedScopeKey } from '../domain/feed-record.ts'
import type { JsonObject } from '../domain/json/json.ts'
import { describeCompetition } from '../live/describe-competition.ts'
import { silentLog } from '../ports/log.ts'
import { btc, eth, minute } from '../ports/store-samples.ts'
import type { Viewer } from './access/viewer.ts'
import { createReportApp, type ReportOptions } from './create-report-app.ts'
import type { ReportApp } from './http/mount-routes.ts'
import type { ServedRoute } from './http/serve-route.ts'
import type { ReportContext } from './report-context.ts'

export type Row = Record<string, unknown>

export interface LoggedLine {
  readonly message: string
  readonly fields: JsonObject | undefined
}

export interface ReportUnderTest {
  readonly store: MemoryStore
  readonly app: ReportApp
  /** Logged errors. */
  readonly errors: readonly LoggedLine[]
  /** The rows of a route for a viewer, by its handler. */
  as(viewer: Viewer, route: Pick<ServedRoute, 'open'>, input: Readonly<Record<string, unknown>>): Promise<unknown>
  /** The JSON of a path, with any status. */
  get<Body = Row[]>(path: string): Promise<{ readonly status: number; readonly body: Body; readonly headers: Headers }>
}

/** A request from this machine, as the server passes it. */
export const fromHere = {
  init: { headers: { host: '127.0.0.1' } },
  env: { incoming: { socket: { remoteAddress: '127.0.0.1' }, httpVersion: '1.1', rawHeaders: [] } },
}

/** The API over an empty memory store, one hour after the sample rows start. */
export function reportUnderTest(overrides: Partial<ReportOptions> = {}): ReportUnderTest {
  const store = createMemoryStore()
  const errors: LoggedLine[] = []
  const options: ReportOptions & Pick<ReportContext, 'log'> = {
    reads: store,
    live: store,
    info: {
      ...{ crunchId: 'next-move', crunchAddress: '', network: 'devnet', version: '1.2.3' },
      era: { number: 2, beganAt: minute(30) },
      contractVersion: { number: 3, hash: 'c0de', era: 2, firstSeenAt: minute(40) },
    },
    contract: {
      feeds: [btc, eth].map(feedScopeKey),
      windows: ['recent', 'score_steady', 'anchor'],
      windowMs: { recent: 3_600_000, score_steady: 86_400_000, anchor: 604_800_000 },
      inputWindowMs: 600_000,
      snapshotEveryMs: 600_000,
      rankBy: 'recent',
      direction: 'desc',
      newcomers: 'wait',
      minRankCoverage: 0.8,
      hasOwnOrder: false,
      minPayCoverage: 0.5,
      reveal: 'with truth',
      organizer: { cruncherId: 'c-flat', baselines: ['model flat'] },
      value: 'value',
      metrics: ['ic', 'hit_rate'],
      scoreFields: ['value', 'error'],
      competition: describeCompetition(changedContract({})),
    },
    clock: { now: () => minute(60), refresh: async () => minute(60), turn: async () => {} },
    log: { ...silentLog, error: (message, fields) => errors.push({ message, fields }) },
    ...overrides,
  }
  const app = createReportApp(options)
  return {
    store,
    app,
    errors,
    as: (viewer, route, input) =>
      (route.open(options) as (input: unknown) => Promise<unknown>)({
        params: {},
        query: {},
        body: {},
        ...input,
        viewer,
      }),
    async get<Body>(path: string) {
      const response = await app.request(path, fromHere.init, fromHere.env)
      return { status: response.status, body: (await response.json()) as Body, headers: response.headers }
    },
  }
}
