import { defineConfig } from 'tsup'

export default defineConfig({
  entry: [
    'src/index.ts',
    'src/workers.ts',
    'src/feeds.ts',
    'src/scoring.ts',
    'src/testing.ts',
    'src/internal.ts',
    'src/bin.ts',
  ],
  format: 'esm',
  dts: {
    entry: ['src/index.ts', 'src/workers.ts', 'src/feeds.ts', 'src/scoring.ts', 'src/testing.ts', 'src/internal.ts'],
  },
  clean: true,
  sourcemap: true,
  target: 'node20',
})
