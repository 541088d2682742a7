import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { builtFile } from '@crunch/local-processes'

/** The command that runs this command line in another process. */
export function selfCommand(args: readonly string[]): { readonly command: string; readonly args: readonly string[] } {
  return { command: process.execPath, args: [builtFile(import.meta.url, 'bin.js'), ...args] }
}

/** The command that runs the model orchestrator. */
export function orchestratorCommand(): { readonly command: string; readonly args: readonly string[] } {
  const manifest = createRequire(import.meta.url).resolve('@crunch/model-orchestrator/package.json')
  return { command: process.execPath, args: [join(dirname(manifest), 'dist/bin.js')] }
}

/**
 * Node's arguments that make a process end when its supervisor is gone; they precede the program's own. The supervisor must hold
 * the other end of the process's standard input.
 */
export function exitWithParentArguments(): readonly string[] {
  return ['--import', pathToFileURL(builtFile(import.meta.url, 'exit-with-parent.js')).href]
}
