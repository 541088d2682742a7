import { availableParallelism } from 'node:os'
import { defineConfig } from 'vitest/config'

/**
 * Tests that start programs, change their own process, or measure its time or memory. All others in `src` are `pure`: they share
 * one module graph a worker, which saves up to three quarters of their time.
 */
const isolatedTests = Object.entries({
  cli: [
    ...['commands/backtest', 'commands/models-of-orchestrator', 'commands/models-test', 'deploy/prepare-deployment'],
    ...['local-model/host-model', 'models/orchestrator-killed', 'models/retirement', 'supervisor/*'],
  ],
  'coordinator-node': [
    ...['fairness/costly-answers', 'transport/*', 'unhappy-models'].map((name) => `adapters/model-runner/grpc/${name}`),
    ...['address', 'connection-loss', 'prove-sessions'].map((name) => `adapters/store/postgres/session/${name}`),
    ...['adapters/model-runner/stall-watch', 'adapters/store/postgres/store-equivalence'],
    ...['live/load-contract', 'live/workers/report-worker', 'live/workers/run-workers'],
  ],
  'embedded-postgres': ['launch-server', 'server-account', 'start-*', 'test-database'],
  'model-orchestrator': [
    ...[
      'command-line',
      'python-models',
      'start-orchestrator',
      'confine/confine*',
      'process/process-guard',
      'serve/**/*',
    ],
    ...['limit/background-group', 'limit/limit-start', 'limit/limited-memory', 'limit/lower-priority'],
    ...['limit/watch-usage', 'prepare/notebook/extract-notebook', 'prepare/notebook/notebook-submission'],
    ...['prepare/prepare-submission', 'prepare/python/python-environments'],
  ],
  'model-runner': ['bin', 'load-*', 'serve', 'unix-socket'],
}).flatMap(([name, files]) => files.map((file) => `packages/${name}/src/${file}.test.ts`))

const cores = availableParallelism()

/** Most tests wait: for a process that starts, a time-out, a poll. With two files a core, the cores have work meanwhile. */
const manyFiles = { maxWorkers: 2 * cores, sequence: { groupOrder: 0 } }

/** A deployment is eight processes, which wait most of the time. */
const fewFiles = { maxWorkers: Math.ceil(1.5 * cores), sequence: { groupOrder: 1 } }

/** Only a test that hangs takes so long. On a busy machine some take minutes that take seconds on a quiet one. */
const patience = { testTimeout: 240_000, hookTimeout: 240_000, expect: { poll: { timeout: 60_000 } } }

const minutes = { testTimeout: 300_000, hookTimeout: 300_000, expect: { poll: { timeout: 60_000 } } }

const oneFile = { maxWorkers: 1, sequence: { groupOrder: 2 } }

/**
 * The fault loop kills the same processes among other faults. This one counts kills alone, and takes minutes of processor time: it runs
 * when its count is set, as `npm run test:long` does.
 */
const killLoop = 'packages/e2e/test/kill-loop.test.ts'

/** Tests import the sources of all packages. The programs that they start use the builds, as published. */
const sources = {
  ssr: { resolve: { conditions: ['crunch-source', 'module', 'node', 'development|production'] } },
}

const startsPrograms = { globalSetup: '.ci/build-programs.ts' }

/** One project a kind of test. */
export default defineConfig({
  test: {
    coverage: {
      provider: 'v8',
      include: ['contract', 'domain', 'stages'].map((folder) => `packages/coordinator-node/src/${folder}/**/*.ts`),
      exclude: ['**/*.test-d.ts'],
      reporter: ['text'],
      // Where the types ask for a default that no data reach, `present` of domain/errors.ts says so: a default would hide a fault.
      thresholds: { branches: 100 },
    },
    projects: [
      {
        ...sources,
        test: {
          name: 'pure',
          include: ['packages/*/src/**/*.test.ts'],
          exclude: ['packages/e2e/**', 'packages/bench/src/hostile/**', ...isolatedTests],
          isolate: false,
          ...patience,
          ...manyFiles,
        },
      },
      {
        ...sources,
        test: {
          name: 'unit',
          ...startsPrograms,
          // The tests of the templates run in created workspaces: create-crunch/test/scaffolded-workspace.test.ts.
          include: [...isolatedTests, 'packages/*/test/**/*.test.ts'],
          exclude: ['packages/e2e/**'],
          ...patience,
          ...manyFiles,
        },
      },
      {
        test: {
          name: 'types',
          include: [],
          typecheck: {
            enabled: true,
            only: true,
            // Four times as fast as the JavaScript compiler, which is kept for its API.
            checker: 'node_modules/typescript-native/bin/tsc',
            include: ['packages/*/src/**/*.test-d.ts'],
            // Only the type tests and what they import: `npm run check` has the types of all sources.
            tsconfig: 'packages/coordinator-node/tsconfig.types.json',
          },
        },
      },
      {
        ...sources,
        test: {
          name: 'e2e',
          include: ['packages/e2e/**/*.test.ts'],
          exclude: ['**/node_modules/**', ...(Object.hasOwn(process.env, 'CRUNCH_KILLS') ? [] : [killLoop])],
          ...minutes,
          ...fewFiles,
        },
      },
      {
        ...sources,
        test: {
          // The hostile models try to take the machine from the good ones: beside other tests they would also take it from those.
          name: 'hostile',
          ...startsPrograms,
          include: ['packages/bench/src/hostile/*.test.ts'],
          ...minutes,
          ...oneFile,
        },
      },
    ],
  },
})
