import { copyFileSync } from 'node:fs'
import { defineConfig } from 'tsup'

export default defineConfig({
  entry: ['src/index.ts', 'src/bin.ts'],
  format: 'esm',
  dts: { entry: ['src/index.ts'] },
  clean: true,
  sourcemap: true,
  target: 'node20',
  // Python runs it, from the folder that holds the program.
  onSuccess: async () => copyFileSync('src/prepare/notebook/read_notebook.py', 'dist/read_notebook.py'),
})
