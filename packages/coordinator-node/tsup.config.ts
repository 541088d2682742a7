import { cp } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { defineConfig } from 'tsup'

const names = ['index', 'workers', 'feeds', 'scoring', 'testing', 'client', 'internal']
const modules = names.map((name) => [name, `src/${name}.ts`])

export default defineConfig({
  entry: {
    ...Object.fromEntries(modules),
    bin: 'src/bin.ts',
    // A program of its own, which the reader of Parquet files starts from the folder that holds all of it.
    'parquet-process': 'src/adapters/feeds/recording/parquet-process.js',
  },
  format: 'esm',
  clean: true,
  sourcemap: true,
  target: 'node20',
  async onSuccess() {
    // The page at /, which @crunch/report-ui builds.
    await cp(join('..', 'report-ui', 'dist'), join('dist', 'page'), { recursive: true })
    // The page at /docs. Copied, because the package tells another host of each installation: users do not install it.
    const folder = dirname(fileURLToPath(import.meta.resolve('swagger-ui-dist/package.json')))
    for (const name of ['swagger-ui.css', 'swagger-ui-bundle.js', 'LICENSE', 'NOTICE']) {
      await cp(join(folder, name), join('dist', 'swagger-ui', name))
    }
  },
})
