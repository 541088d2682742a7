import { createRequire } from 'node:module'
import { fileURLToPath, pathToFileURL } from 'node:url'

/** How to spawn a model runner; its own arguments follow `args`. */
export interface ModelRunnerCommand {
  readonly command: string
  readonly args: readonly string[]
}

/** The runner's program: the built one in a published package, the source with tsx in the monorepo. */
export function modelRunnerCommand(): ModelRunnerCommand {
  const isSource = import.meta.url.endsWith('.ts')
  const bin = fileURLToPath(new URL(isSource ? './bin.ts' : './bin.js', import.meta.url))
  if (!isSource) return { command: process.execPath, args: [bin] }
  // The full URL, because a bare name would be resolved from the runner's working directory.
  const tsx = pathToFileURL(createRequire(import.meta.url).resolve('tsx')).href
  return { command: process.execPath, args: ['--import', tsx, bin] }
}
