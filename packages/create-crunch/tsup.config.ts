import { defineConfig } from 'tsup'

export default defineConfig({
  entry: ['src/bin.ts'],
  format: 'esm',
  dts: false,
  sourcemap: true,
  target: 'node20',
})
