import { defineConfig } from 'tsup'

export default defineConfig({
  entry: ['src/index.ts', 'src/bin.ts', 'src/exit-with-parent.mjs'],
  format: 'esm',
  clean: true,
  sourcemap: true,
  target: 'node20',
})
