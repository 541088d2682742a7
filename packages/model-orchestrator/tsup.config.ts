import { copyFileSync } from 'node:fs'
import { defineConfig } from 'tsup'

export default defineConfig({
  // A test runs the command line with another runner.
  entry: ['src/index.ts', 'src/bin.ts', 'src/command-line.ts'],
  format: 'esm',
  clean: true,
  sourcemap: true,
  target: 'node20',
  // Python runs these scripts from the folder of the program.
  onSuccess: async () => {
    for (const name of ['read_notebook.py', 'notebook_cells.py'])
      copyFileSync(`src/prepare/notebook/${name}`, `dist/${name}`)
  },
})
