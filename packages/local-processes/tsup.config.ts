import { defineConfig } from 'tsup'

export default defineConfig({
  entry: ['src/index.ts', 'src/errors.ts'],
  format: 'esm',
  dts: { entry: ['src/index.ts', 'src/errors.ts'], only: true },
  sourcemap: true,
  target: 'node20',
})
