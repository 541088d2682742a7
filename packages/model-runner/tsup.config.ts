import { defineConfig } from 'tsup'

export default defineConfig({
  entry: ['src/index.ts', 'src/bin.ts'],
  format: 'esm',
  // Bundled, so that a model's process does not load the parts of the protocol that only coordinators need.
  noExternal: ['@crunch/model-protocol', '@crunch/local-processes'],
  clean: true,
  sourcemap: true,
  target: 'node20',
})
