import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'

// In development this module is a source beside bin.ts; built, it is a chunk beside bin.js.
const isSource = import.meta.url.endsWith('.ts')

/** How to run this command line again in another process. */
export function selfCommand(args: readonly string[]): { readonly command: string; readonly args: readonly string[] } {
  const bin = fileURLToPath(new URL(isSource ? './bin.ts' : './bin.js', import.meta.url))
  return { command: process.execPath, args: [...(isSource ? typeScriptLoader() : []), bin, ...args] }
}

/** Node's arguments for running TypeScript sources: with a full URL, as the child may run in any folder. */
function typeScriptLoader(): readonly string[] {
  return ['--import', pathToFileURL(createRequire(import.meta.url).resolve('tsx')).href]
}

/** How to run the program of the orchestrator's package, built or in development. */
export function orchestratorCommand(): { readonly command: string; readonly args: readonly string[] } {
  const manifest = createRequire(import.meta.url).resolve('@crunch/model-orchestrator/package.json')
  const bin = join(dirname(manifest), isSource ? 'src/bin.ts' : 'dist/bin.js')
  return { command: process.execPath, args: [...(isSource ? typeScriptLoader() : []), bin] }
}

/**
 * Node's arguments, to stand before a program's own, with which a process ends when its supervisor is gone; the
 * supervisor must hold the other end of its standard input.
 */
export function exitWithParentArguments(): readonly string[] {
  return ['--import', new URL(isSource ? './exit-with-parent.mjs' : './exit-with-parent.js', import.meta.url).href]
}
