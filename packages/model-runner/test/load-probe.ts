import { loadModelClass } from '../src/load-model.ts'
import { importTypeScript } from '../src/load-module.ts'

/**
 * Loads what the arguments name, in a plain process as a runner is one (the test runner has a module loader of its own),
 * and prints the outcome as JSON: `module FILE` or `model FOLDER BASE [MAIN]`.
 */
const [, , kind, path = '', baseName = '', mainFile] = process.argv
try {
  if (kind === 'module') {
    const loaded = await importTypeScript(path)
    // A second load is the same module.
    const again = await importTypeScript(path)
    print({ exports: Object.keys(loaded), same: loaded === again, path: loaded.path })
  } else {
    print({ name: (await loadModelClass(path, baseName, mainFile)).name })
  }
} catch (error) {
  if (!(error instanceof Error)) throw error
  const stack = error.cause instanceof Error ? error.cause.stack : undefined
  print({ error: error.name, code: 'code' in error ? error.code : undefined, message: error.message, stack })
}

function print(outcome: unknown): void {
  process.stdout.write(JSON.stringify(outcome))
}
