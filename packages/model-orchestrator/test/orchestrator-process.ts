import { runCommandLine } from '../src/command-line.ts'
import { STAND_IN } from './workspace.ts'

// The real command line, with a stand-in runner that starts quickly.
process.exit(await runCommandLine(process.argv.slice(2), { runnerCommand: STAND_IN }))
