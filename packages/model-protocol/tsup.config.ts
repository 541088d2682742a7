import { defineConfig } from 'tsup'

export default defineConfig({
  // The second one is a program of its own, which the first one starts.
  entry: ['src/index.ts', 'src/parquet-process.js'],
  format: 'esm',
  dts: { entry: ['src/index.ts'] },
  clean: true,
  sourcemap: true,
  target: 'node20',
})
