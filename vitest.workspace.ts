import { availableParallelism } from 'node:os'
import { defineConfig } from 'vitest/config'

const enginePure = [
  '*',
  ...['adapters/feeds', 'contract', 'domain', 'live/follow', 'report', 'simulation', 'stages'].map(
    (folder) => `${folder}/**/*`,
  ),
].map((files) => `coordinator-node/src/${files}`)

const orchestratorPure = [
  ...['logs', 'models-file', 'settings', 'submission'].map((folder) => `${folder}/*`),
  ...['index-*', 'installer-*', 'package-*', 'python-requirements'].map((name) => `prepare/python/${name}`),
  ...['prepare/notebook/installed-packages', 'run/await-serving', 'run/explain-failure'],
].map((files) => `model-orchestrator/src/${files}`)

/**
 * Tests of pure code, of in-memory parts, and of feeds with their fake providers: they share one module graph a worker, which
 * saves up to three quarters of their time.
 */
const pureTests = [...enginePure, ...orchestratorPure, 'model-protocol/src/**/*', 'create-crunch/src/**/*'].map(
  (files) => `packages/${files}.test.ts`,
)

const cores = availableParallelism()

/** Most tests wait: for a process that starts, a time-out, a poll. With two files a core, the cores have work meanwhile. */
const manyFiles = { maxWorkers: 2 * cores, sequence: { groupOrder: 0 } }

/** A deployment is eight processes, which wait most of the time. */
const fewFiles = { maxWorkers: Math.ceil(1.5 * cores), sequence: { groupOrder: 1 } }

/** Only a test that hangs takes so long. On a busy machine some take minutes that take seconds on a quiet one. */
const patience = { testTimeout: 240_000, hookTimeout: 240_000, expect: { poll: { timeout: 60_000 } } }

const minutes = { testTimeout: 300_000, hookTimeout: 300_000, expect: { poll: { timeout: 60_000 } } }

const oneFile = { maxWorkers: 1, sequence: { groupOrder: 2 } }

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
          include: pureTests,
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
          include: ['packages/*/src/**/*.test.ts', 'packages/*/test/**/*.test.ts'],
          exclude: ['packages/e2e/**', 'packages/bench/src/hostile/**', ...pureTests],
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
            // Four times as fast as the JavaScript compiler, which only the bundler of the declarations still needs.
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
