import { defineConfig } from 'tsup'

const modules = ['index', 'workers', 'feeds', 'scoring', 'testing', 'internal'].map((name) => [name, `src/${name}.ts`])

export default defineConfig({
  entry: {
    ...Object.fromEntries(modules),
    bin: 'src/bin.ts',
    // A program of its own, which the reader of Parquet files starts from the folder that holds all of it.
    'parquet-process': 'src/adapters/feeds/recording/parquet-process.js',
  },
  format: 'esm',
  dts: { entry: Object.fromEntries(modules) },
  clean: true,
  sourcemap: true,
  target: 'node20',
})
