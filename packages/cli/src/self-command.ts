import { fileURLToPath } from 'node:url'

// In development this module is a source beside bin.ts; built, it is a chunk beside bin.js.
const isSource = import.meta.url.endsWith('.ts')

/** How to run this command line again in another process. */
export function selfCommand(args: readonly string[]): { readonly command: string; readonly args: readonly string[] } {
  const bin = fileURLToPath(new URL(isSource ? './bin.ts' : './bin.js', import.meta.url))
  const loader = isSource ? ['--import', import.meta.resolve('tsx')] : []
  return { command: process.execPath, args: [...loader, bin, ...args] }
}

/**
 * Node's arguments, to stand before a program's own, with which a process ends when its supervisor is gone; the
 * supervisor must hold the other end of its standard input.
 */
export function exitWithParentArguments(): readonly string[] {
  return ['--import', new URL(isSource ? './exit-with-parent.mjs' : './exit-with-parent.js', import.meta.url).href]
}
