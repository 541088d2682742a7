import { loadModelClass } from '../src/load-model.ts'
import { importTypeScript } from '../src/load-module.ts'

/**
 * Loads a module or a model in a plain process, as a runner does (the test runner has its own module loader), and prints
 * the result as JSON. Arguments: `module FILE` or `model FOLDER BASE [MAIN]`.
 */
const [, , kind, path = '', baseName = '', mainFile] = process.argv
try {
  if (kind === 'module') {
    const loaded = await importTypeScript(path)
    // A second load returns the same module.
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
