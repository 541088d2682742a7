import { existsSync, readdirSync } from 'node:fs'
import { join, relative } from 'node:path'
import type { Options } from './options.ts'

/** The commands to run next, from the folder in which create-crunch was called. */
export function nextCommands(options: Options, calledFrom: string): readonly string[] {
  const path = relative(calledFrom, options.directory)
  const folder = path.startsWith('..') ? options.directory : path
  const recordings = join(options.directory, 'node', 'recordings')
  const [recording] = existsSync(recordings) ? readdirSync(recordings).sort() : []
  // A pack without a recording uses a live source.
  const replay = recording === undefined ? '' : ` -- --replay node/recordings/${recording}`
  return [
    ...(folder === '' ? [] : [`cd ${folder.includes(' ') ? JSON.stringify(folder) : folder}`]),
    ...(options.install ? [] : [`${options.packageManager} install`]),
    'npm test',
    `npm run deploy${replay}`,
  ]
}
