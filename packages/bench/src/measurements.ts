import { hostileModels } from './hostile/hostile-models.ts'
import { reportRoutes } from './report/report-routes.ts'

/** The results of one run of a measurement, by key of its figures. */
export type Figures = Readonly<Record<string, number>>

/** One number of a measurement. */
export interface Figure {
  readonly key: string
  readonly label: string
  readonly unit: '/s' | '%' | 'ms' | 's' | 'MB' | '×' | 'answers' | 'records' | 'GB'
  readonly atLeast?: number
  readonly atMost?: number
}

export interface Measurement {
  readonly name: MeasurementName
  /** Description of the method, for readers of the results. */
  readonly method: string
  readonly figures: readonly Figure[]
  readonly needs: {
    /** An embedded PostgreSQL of its own, with fsync. */
    readonly database: boolean
    /** Number of models served over gRPC. */
    readonly modelCount: number
    /** Node is started with the arguments of the predict service (which also ingests data) and the orchestrator. */
    readonly steady: boolean
  }
  /** Time limit for all runs together: another run starts only if it is likely to end within it. */
  readonly budgetMs: number
}

export const measurementNames = [
  'ingest',
  'stream',
  'backfill',
  'predict',
  'settle',
  'floor',
  'close',
  'storage',
  'window',
  'report',
  'simulate',
  'fan-out',
  'hostile',
] as const
export type MeasurementName = (typeof measurementNames)[number]

/** Peak memory of the measured process; a figure of every measurement. */
export const peakMemory: Figure = { key: 'peakMemory', label: 'peak memory', unit: 'MB' }

/** The budgets add up to less than 25 minutes. */
export const measurements: readonly Measurement[] = [
  {
    name: 'ingest',
    method:
      '100,000 one-minute candles in batches of 500 from a source that never waits, through the feed-data worker (checks, store, announcement) into the embedded PostgreSQL',
    figures: [
      { key: 'recordsPerSecond', label: 'records ingested', unit: '/s', atLeast: 10_000 },
      { ...peakMemory, atMost: 500 },
    ],
    needs: { database: true, modelCount: 0, steady: true },
    budgetMs: 42_000,
  },
  {
    name: 'stream',
    method:
      '50 subjects that trade once a second, one after the other, at a fake exchange in another process; the feed-data worker stores them with the Binance source over one WebSocket in the embedded PostgreSQL; CPU time of all threads of the worker, over 30 s after 5 s of warm-up',
    figures: [
      { key: 'share', label: '50 subjects at one-second ticks: share of one core', unit: '%', atMost: 20 },
      { key: 'recordsPerSecond', label: '50 subjects at one-second ticks: records stored', unit: '/s' },
      peakMemory,
    ],
    needs: { database: true, modelCount: 0, steady: true },
    budgetMs: 80_000,
  },
  {
    name: 'backfill',
    method:
      'a backfill job writes 1,000,000 one-minute candles, in pages of 1,000 from a source that never waits, into the embedded PostgreSQL; then exports them to Parquet, 695 daily files; then imports these files into the tables as another series, which is compared record by record with the first',
    figures: [
      { key: 'tables', label: '1,000,000 candles backfilled in', unit: 's', atMost: 60 },
      { key: 'parquet', label: 'tables exported to Parquet in', unit: 's' },
      { key: 'again', label: 'Parquet imported into the tables in', unit: 's' },
      { key: 'different', label: 'records changed by the round trip', unit: 'records', atMost: 0 },
      peakMemory,
    ],
    needs: { database: true, modelCount: 0, steady: false },
    budgetMs: 150_000,
  },
  {
    name: 'predict',
    method:
      'live: a record every 100 ms from the moment its source yields it until its round and 10 predictions are committed to the embedded PostgreSQL; 10 example models, each a process behind gRPC; 300 rounds after 300 of warm-up',
    figures: [
      { key: 'p50', label: 'record arrival → predictions durable, p50', unit: 'ms', atMost: 15 },
      { key: 'p99', label: 'record arrival → predictions durable, p99', unit: 'ms', atMost: 50 },
      { key: 'answeredP50', label: 'of which until every model has answered, p50', unit: 'ms' },
      { key: 'answeredP99', label: 'of which until every model has answered, p99', unit: 'ms' },
      peakMemory,
    ],
    needs: { database: true, modelCount: 10, steady: true },
    budgetMs: 135_000,
  },
  {
    name: 'settle',
    method:
      '1,200 rounds of 25 models, all due at once, settled by one worker on the embedded PostgreSQL, including the closing of their snapshot periods',
    figures: [
      { key: 'predictionsPerSecond', label: 'predictions settled, periods closed', unit: '/s', atLeast: 5_000 },
      { key: 'roundsOnlyPerSecond', label: 'predictions settled, before periods close', unit: '/s' },
      peakMemory,
    ],
    needs: { database: true, modelCount: 0, steady: false },
    budgetMs: 48_000,
  },
  {
    name: 'floor',
    method:
      'a record handed to the pipeline until its round and predictions are committed to the embedded PostgreSQL, with 1, 10, 100 and 1,000 gRPC models in one other process; in turns with the floor: one call of tick and one of predict to the same models over the same connections, and the commit of one row; medians of 40 after 20 of warm-up',
    figures: [
      { key: 'round1', label: 'record → predictions durable, 1 model', unit: 'ms' },
      { key: 'ratio1', label: 'over the floor, 1 model', unit: '×', atMost: 3 },
      { key: 'round10', label: 'record → predictions durable, 10 models', unit: 'ms' },
      { key: 'ratio10', label: 'over the floor, 10 models', unit: '×', atMost: 3 },
      { key: 'round100', label: 'record → predictions durable, 100 models', unit: 'ms' },
      { key: 'ratio100', label: 'over the floor, 100 models', unit: '×', atMost: 1.5 },
      { key: 'round1000', label: 'record → predictions durable, 1,000 models', unit: 'ms' },
      { key: 'ratio1000', label: 'over the floor, 1,000 models', unit: '×', atMost: 1.5 },
      peakMemory,
    ],
    needs: { database: true, modelCount: 0, steady: true },
    budgetMs: 60_000,
  },
  {
    name: 'close',
    method:
      'a snapshot period with 20 rounds of 1,000 models and all four metrics, by the realtime contract, from reading its results until snapshots and leaderboard are committed to the embedded PostgreSQL; the event loop of the score worker meanwhile, which settles in between',
    figures: [
      { key: 'closed', label: 'a period of 1,000 models and 20 rounds closed in', unit: 's', atMost: 1 },
      { key: 'processor', label: 'processor time of the worker for it', unit: 's' },
      { key: 'blocked', label: 'the event loop was blocked at most', unit: 'ms' },
      peakMemory,
    ],
    needs: { database: true, modelCount: 0, steady: false },
    budgetMs: 60_000,
  },
  {
    name: 'storage',
    method:
      '100,000 predictions of 50 models in 2,000 rounds made, settled and closed by the realtime contract on the embedded PostgreSQL, with autovacuum as it comes; the tables of inputs, predictions, scores, snapshots and leaderboards with their indexes, scaled to a million predictions',
    figures: [
      { key: 'stored', label: '1,000,000 scored predictions take', unit: 'GB', atMost: 0.8 },
      { key: 'indexes', label: 'of which indexes', unit: 'GB' },
      peakMemory,
    ],
    needs: { database: true, modelCount: 0, steady: false },
    budgetMs: 40_000,
  },
  {
    name: 'window',
    method:
      'a newly started score worker ranks 1,000 models over a window of 1,000 periods, 1,000,000 snapshots in the embedded PostgreSQL, including reading, median of three; then it ranks after the next period; memory is the growth of the process. For comparison, the same snapshots are read in one statement, as before December 2026, in the same process',
    figures: [
      { key: 'opened', label: 'a window of 1,000,000 snapshots opened and ranked in', unit: 's', atMost: 3 },
      { key: 'openedMemory', label: 'memory of the window', unit: 'MB', atMost: 150 },
      { key: 'next', label: 'next period ranked in', unit: 'ms' },
      { key: 'atOnce', label: 'before: read in one statement in', unit: 's' },
      { key: 'atOnceMemory', label: 'before: memory of the window', unit: 'MB' },
      peakMemory,
    ],
    needs: { database: true, modelCount: 0, steady: false },
    budgetMs: 60_000,
  },
  {
    name: 'report',
    method:
      'the API of a report worker, in a process with the embedded PostgreSQL on the same two cores as its clients: 1,000 models, a leaderboard and a snapshot of each every ten minutes, and rounds that all models answered, by default 2 days and 200,000 predictions (`--days` and `--predictions`); 64 connections that ask for the leaderboard, compressed (114 kB) and plain (1.1 MB); then each other route that reads rows, on two connections; then 500 streams that hear of a renamed model, 20 times',
    figures: [
      { key: 'boards', label: 'leaderboards of 1,000 models, compressed, 64 connections', unit: '/s', atLeast: 2_000 },
      { key: 'boardP99', label: 'of which p99', unit: 'ms' },
      { key: 'plainBoards', label: 'leaderboards of 1,000 models, plain, 64 connections', unit: '/s' },
      ...reportRoutes.map((path): Figure => ({ key: path, label: `GET ${path}, p99`, unit: 'ms', atMost: 300 })),
      { key: 'update', label: 'until 500 streams have an update, slowest of 20', unit: 'ms', atMost: 250 },
      { key: 'reportMemory', label: 'peak memory of the report worker', unit: 'MB' },
      { key: 'filled', label: 'the rows were written in', unit: 's' },
      peakMemory,
    ],
    needs: { database: true, modelCount: 0, steady: false },
    budgetMs: 90_000,
  },
  {
    name: 'simulate',
    method:
      'crunch simulate: 50,000 one-minute BTC candles, the realtime contract, its 5 example models in the same process, memory store, virtual clock',
    figures: [
      { key: 'roundsPerSecond', label: 'rounds simulated', unit: '/s' },
      { key: 'total', label: '50,000 candles simulated in', unit: 's', atMost: 60 },
      { ...peakMemory, atMost: 1_000 },
    ],
    needs: { database: false, modelCount: 0, steady: false },
    budgetMs: 65_000,
  },
  {
    name: 'fan-out',
    method:
      'one call (predict) to all connected models until every answer is read, for 1,000 models and for 100 of them; each model is a gRPC server with its own port, all in one other process; the coordinator is bound to one core (taskset), the models to the others; median of 40 fan-outs after 20 of warm-up. Connecting includes discovery, connection and Setup of all 1,000. Needs `ulimit -n` of 2,200',
    figures: [
      { key: 'fanOutMany', label: 'one fan-out to 1,000 models', unit: 'ms', atMost: 400 },
      { key: 'fanOutFew', label: 'one fan-out to 100 models', unit: 'ms' },
      // Ten times as many models; the rest of the growth is due to the garbage collector.
      { key: 'growth', label: 'fan-out to 1,000 models / to 100', unit: '×', atMost: 12 },
      { key: 'connect', label: '1,000 models connected and set up in', unit: 's', atMost: 5 },
      peakMemory,
    ],
    needs: { database: false, modelCount: 0, steady: true },
    budgetMs: 60_000,
  },
  {
    name: 'hostile',
    method:
      '40 good models and 10 hostile ones, which hang, sleep, answer 60 MB or NaN, crash, exit on Setup, send garbage bytes, cannot be connected, print or fork endlessly; 50 processes of the built runner under one orchestrator with its limits. Two rounds per second with a time-out of 500 ms, so that few cores suffice for 50 processes: 80 rounds with the good models alone, then rounds with the hostile ones until all of these are in quarantine, repeated six times on the same 40 processes, which were started in groups of four, 300 calls apart; times count from the second repetition on, when the code for failures is also compiled. A model is given up after 10 failures or time-outs (100 on a node), a process after 3 quick exits (5 on a node)',
    figures: [
      { key: 'aloneP99', label: 'answer time of good models, p99, 40 alone', unit: 'ms' },
      { key: 'togetherP99', label: 'answer time of good models, p99, with 10 hostile ones', unit: 'ms' },
      { key: 'share', label: 'p99 with hostile models / p99 without', unit: '×', atMost: 1.3 },
      { key: 'missingAlone', label: 'missing answers of good models, 40 alone', unit: 'answers' },
      {
        key: 'missing',
        label: 'missing answers of good models, with 10 hostile ones',
        unit: 'answers',
        atMost: 0,
      },
      ...hostileModels.map(
        ({ name }): Figure => ({ key: name, label: `until quarantine: ${name}`, unit: 's', atMost: 120 }),
      ),
      { key: 'orchestratorMemory', label: 'peak memory of the orchestrator, hostile', unit: 'MB', atMost: 500 },
      { ...peakMemory, atMost: 500 },
    ],
    needs: { database: false, modelCount: 0, steady: true },
    budgetMs: 600_000,
  },
]
