import { defineConfig } from 'vitest/config'

/** Tests of pure code and of in-memory parts: they share one module graph a worker, which saves three quarters of their time. */
const pureTests = ['contract', 'domain', 'report', 'stages', 'live/follow'].map(
  (folder) => `packages/coordinator-node/src/${folder}/**/*.test.ts`,
)

/** One project a kind of test. */
export default defineConfig({
  test: {
    projects: [
      {
        test: {
          name: 'pure',
          include: pureTests,
          isolate: false,
        },
      },
      {
        test: {
          name: 'unit',
          include: ['packages/*/src/**/*.test.ts', 'packages/*/test/**/*.test.ts', 'templates/*/test/**/*.test.ts'],
          exclude: ['packages/e2e/**', 'packages/bench/src/hostile/**', ...pureTests],
          testTimeout: 30_000,
          hookTimeout: 60_000,
        },
      },
      {
        test: {
          name: 'types',
          include: [],
          typecheck: {
            enabled: true,
            only: true,
            include: ['packages/*/src/**/*.test-d.ts'],
            tsconfig: 'packages/coordinator-node/tsconfig.json',
          },
        },
      },
      {
        test: {
          name: 'e2e',
          // The hostile models want the machine for themselves, and minutes.
          include: ['packages/e2e/**/*.test.ts', 'packages/bench/src/hostile/*.test.ts'],
          testTimeout: 300_000,
          hookTimeout: 300_000,
          fileParallelism: false,
        },
      },
    ],
  },
})
