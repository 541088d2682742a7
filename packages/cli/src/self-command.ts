import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'

// In development, this module is beside bin.ts; after a build, it is in a chunk beside bin.js.
const isSource = import.meta.url.endsWith('.ts')

/** The command that runs this command line in another process. */
export function selfCommand(args: readonly string[]): { readonly command: string; readonly args: readonly string[] } {
  const bin = fileURLToPath(new URL(isSource ? './bin.ts' : './bin.js', import.meta.url))
  return { command: process.execPath, args: [...(isSource ? typeScriptLoader() : []), bin, ...args] }
}

/** Node's arguments for running TypeScript sources. The loader has a full URL, because the child may run in any folder. */
function typeScriptLoader(): readonly string[] {
  return ['--import', pathToFileURL(createRequire(import.meta.url).resolve('tsx')).href]
}

/** The command that runs the model orchestrator, built or in development. */
export function orchestratorCommand(): { readonly command: string; readonly args: readonly string[] } {
  const manifest = createRequire(import.meta.url).resolve('@crunch/model-orchestrator/package.json')
  const bin = join(dirname(manifest), isSource ? 'src/bin.ts' : 'dist/bin.js')
  return { command: process.execPath, args: [...(isSource ? typeScriptLoader() : []), bin] }
}

/**
 * Node's arguments that make a process end when its supervisor is gone; they precede the program's own. The supervisor must hold
 * the other end of the process's standard input.
 */
export function exitWithParentArguments(): readonly string[] {
  return ['--import', new URL(isSource ? './exit-with-parent.mjs' : './exit-with-parent.js', import.meta.url).href]
}
