import { defineConfig } from 'tsup'

export default defineConfig({
  // The second file is a separate program, which the first one starts.
  entry: ['src/index.ts', 'src/parquet-process.js'],
  format: 'esm',
  clean: true,
  sourcemap: true,
  target: 'node20',
})
