#!/usr/bin/env node
import { runCli } from './run-cli.ts'
import { processTerminal } from './terminal/terminal.ts'

// `process.exit()` would drop output that is still buffered for a pipe.
process.exitCode = await runCli(process.argv.slice(2), processTerminal())
