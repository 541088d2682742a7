import { createRequire } from 'node:module'
import { fileURLToPath, pathToFileURL } from 'node:url'

/** What to spawn to get a model runner; its own arguments follow `args`. */
export interface ModelRunnerCommand {
  readonly command: string
  readonly args: readonly string[]
}

/** The runner's program: the built one in a published package, its source through tsx in the workspace. */
export function modelRunnerCommand(): ModelRunnerCommand {
  const isSource = import.meta.url.endsWith('.ts')
  const bin = fileURLToPath(new URL(isSource ? './bin.ts' : './bin.js', import.meta.url))
  if (!isSource) return { command: process.execPath, args: [bin] }
  // By its full address: the bare name would be looked up from the folder in which the runner is started.
  const tsx = pathToFileURL(createRequire(import.meta.url).resolve('tsx')).href
  return { command: process.execPath, args: ['--import', tsx, bin] }
}
