import { builtFile } from '@crunch/local-processes'

/** How to spawn a model runner; its own arguments follow `args`. */
export interface ModelRunnerCommand {
  readonly command: string
  readonly args: readonly string[]
}

/** The runner's program. */
export function modelRunnerCommand(): ModelRunnerCommand {
  return { command: process.execPath, args: [builtFile(import.meta.url, 'bin.js')] }
}
