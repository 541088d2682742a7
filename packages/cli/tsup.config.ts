import { defineConfig } from 'tsup'

export default defineConfig({
  entry: ['src/index.ts', 'src/bin.ts', 'src/exit-with-parent.mjs'],
  format: 'esm',
  dts: { entry: ['src/index.ts'], only: true },
  sourcemap: true,
  target: 'node20',
})
