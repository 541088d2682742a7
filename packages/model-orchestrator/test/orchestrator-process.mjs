import { fileURLToPath } from 'node:url'
import { runCommandLine } from '../dist/command-line.js'

// The built command line, with a stand-in runner that starts quickly.
const runner = fileURLToPath(new URL('./stand-in-runner.mjs', import.meta.url))
process.exit(
  await runCommandLine(process.argv.slice(2), { runnerCommand: { command: process.execPath, args: [runner] } }),
)
